package behaviour

// counters is section 2.2, counters.
var counters = Chapter{}
