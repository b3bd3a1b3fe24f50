package behaviour

// deadLetters is section 6, dead letters.
var deadLetters = Chapter{}
