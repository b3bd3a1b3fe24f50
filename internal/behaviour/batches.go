package behaviour

// batches is section 1.4, batches.
var batches = Chapter{}
