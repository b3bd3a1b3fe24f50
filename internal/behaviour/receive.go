package behaviour

// receiving is section 3, receive.
var receiving = Chapter{}
