package behaviour

// permissions is section 7, permissions and policies.
var permissions = Chapter{}
