package behaviour

// receiptHandles is section 3, receipt handles.
var receiptHandles = Chapter{}
