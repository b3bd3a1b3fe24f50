package inq

import "time"

// cooldown is how long a broker makes its users wait between two purges of a queue, and between deleting a queue and
// creating one of its name (SQS: MGT-2, MGT-4).
const cooldown = 60 * time.Second

// Broker is
type Broker struct{ cooldown bool }

func (b *Broker) ByARN(string) (Queue, error)   { return nil, ErrQueueDoesNotExist }
func (b *Broker) isDeadLetterQueue(*queue) bool { return false }
