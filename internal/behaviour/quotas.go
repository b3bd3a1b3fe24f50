package behaviour

// quotas is section 1.5, quotas.
var quotas = Chapter{}
