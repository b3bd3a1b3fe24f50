package behaviour

// moveTasks is section 6, move tasks.
var moveTasks = Chapter{}
