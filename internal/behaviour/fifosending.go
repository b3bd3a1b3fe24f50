package behaviour

// fifoSending is section 5.1, sending to FIFO queues.
var fifoSending = Chapter{}
