package behaviour

// fairQueues is section 11, fair queues.
var fairQueues = Chapter{}
