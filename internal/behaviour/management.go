package behaviour

// management is section 7, queue management.
var management = Chapter{}
