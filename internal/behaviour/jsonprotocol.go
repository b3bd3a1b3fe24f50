package behaviour

// jsonProtocol is section 9.1, AWS JSON 1.0.
var jsonProtocol = Chapter{}
