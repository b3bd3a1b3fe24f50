package behaviour

// visibility is section 4, delete and visibility.
var visibility = Chapter{}
