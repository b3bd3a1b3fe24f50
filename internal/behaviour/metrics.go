package behaviour

// metrics is section 10, metrics.
var metrics = Chapter{}
