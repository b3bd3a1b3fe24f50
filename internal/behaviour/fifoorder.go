package behaviour

// fifoOrder is section 5.2, group locking and order of receive.
var fifoOrder = Chapter{}
