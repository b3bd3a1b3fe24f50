package behaviour

// queryProtocol is section 9.2, Query and XML.
var queryProtocol = Chapter{}
