package behaviour

// errorVocabulary is section 0, the vocabulary of errors.
var errorVocabulary = Chapter{}
