package behaviour

// queueNames is section 1.2, names and ids.
var queueNames = Chapter{}
