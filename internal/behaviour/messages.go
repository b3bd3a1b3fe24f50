package behaviour

// messages is section 1.3, messages.
var messages = Chapter{}
