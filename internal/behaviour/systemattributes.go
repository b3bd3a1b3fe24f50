package behaviour

// systemAttributes is section 2.3, system attributes.
var systemAttributes = Chapter{}
