package topic

import (
	"fmt"
	"strings"
)

// checkBatch checks what a batch as a whole is refused for, and each message (SNS: BAT-1, BAT-4 to
// BAT-6).
func (t *Topic) checkBatch(ms []Message) ([]texts, *ParamError) {
	const param = "PublishBatchRequestEntries"
	if len(ms) == 0 {
		return nil, &ParamError{Err: ErrEmptyBatch, Param: param, Value: 0, Reason: "entries; must be 1 to 10",
			Text: "The batch request doesn't contain any entries."}
	}
	if len(ms) > maxBatch && !t.account.unlimited {
		return nil, &ParamError{Err: ErrTooManyEntries, Param: param, Value: len(ms), Reason: "entries; must be 1 to 10",
			Text: "The batch request contains more entries than permissible."}
	}
	total := 0
	for i := range ms {
		total += ms[i].size()
	}
	if total > maxMessageSize && !t.account.unlimited {
		return nil, &ParamError{Err: ErrBatchTooLong, Param: param, Value: total, Reason: fmt.Sprintf("bytes in sum; must be at most %d", maxMessageSize),
			Text: "The length of all the messages put together is more than the limit."}
	}
	s := t.settings.Load()
	parts := make([]texts, len(ms))
	for i := range ms {
		var err *ParamError
		if parts[i], err = t.check(&ms[i], s); err != nil {
			err.Entry = i + 1
			if err.Err == ErrMissingValue { // the path to the value is part of the text (SNS: PUB-12)
				err.Text = strings.Replace(err.Text, "'messageAttributes.", fmt.Sprintf("'publishBatchRequestEntries.%d.member.messageAttributes.", i+1), 1)
			}
			return nil, err
		}
	}
	return parts, nil
}
