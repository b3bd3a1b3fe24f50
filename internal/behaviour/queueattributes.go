package behaviour

// queueAttributes is section 1.1, queue attributes.
var queueAttributes = Chapter{}
