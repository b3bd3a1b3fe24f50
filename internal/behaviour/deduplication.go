package behaviour

// deduplication is section 5.3, deduplication.
var deduplication = Chapter{}
