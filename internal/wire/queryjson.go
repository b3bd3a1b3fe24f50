package wire

import "reflect"

// jsonResult writes a result as the Query protocol does for clients that accept JSON: as in XML,
// with lists under the name of the member and attributes as lists of Name and Value (SQS: WIRE-17).
func (q *queryCodec) jsonResult(o *output, out any, id string) {
	j := jsonWriter{output: o, flat: true}
	o.text(`{"` + q.name + `Response":{`)
	if out != nil {
		o.text(`"` + q.name + `Result":`)
		j.object(reflect.ValueOf(out).Elem())
		o.byte(',')
	}
	o.text(`"ResponseMetadata":{"RequestId":"` + id + `"}}}`)
}

func jsonFault(o *output, side, code, message, id string) {
	o.text(`{"Error":{"Type":"` + side + `","Code":"` + code + `","Message":`)
	jsonWriter{output: o}.string(message)
	o.text(`,"Detail":null},"RequestId":"` + id + `"}`)
}
