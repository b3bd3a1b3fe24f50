package behaviour

// digests is section 8, MD5 digests.
var digests = Chapter{}
