package sqsapi

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// jsonResult writes a result as the Query protocol does for clients that accept JSON: as in XML,
// with lists under the name of the member and attributes as lists of Name and Value (SQS: WIRE-17).
func (q *queryCodec) jsonResult(b *bytes.Buffer, out any, id string) {
	response := map[string]any{"ResponseMetadata": map[string]string{"RequestId": id}}
	if out != nil {
		response[q.name+"Result"] = jsonMembers(reflect.ValueOf(out).Elem())
	}
	writeJSON(b, map[string]any{q.name + "Response": response})
}

func jsonFault(b *bytes.Buffer, side, code, message, id string) {
	writeJSON(b, map[string]any{
		"Error":     map[string]any{"Type": side, "Code": code, "Message": message, "Detail": nil},
		"RequestId": id,
	})
}

// jsonMembers returns the fields of a result by the names they have there.
func jsonMembers(from reflect.Value) map[string]any {
	members := map[string]any{}
	for i := range from.NumField() {
		f := from.Type().Field(i)
		m := memberOf(f)
		value := from.Field(i)
		switch v := value.Interface().(type) {
		case map[string]string:
			if len(v) != 0 {
				list := []map[string]string{}
				for _, key := range slices.Sorted(maps.Keys(v)) {
					list = append(list, map[string]string{m.key: key, m.value: v[key]})
				}
				members[f.Name] = list
			}
		case map[string]attributeValue:
			if len(v) != 0 {
				list := []map[string]any{}
				for _, key := range slices.Sorted(maps.Keys(v)) {
					list = append(list, map[string]any{m.key: key, m.value: v[key]})
				}
				members[f.Name] = list
			}
		case []string:
			if v != nil {
				members[lowerFirst(f.Name)] = v
			}
		case bool, int64:
			members[f.Name] = v
		default:
			switch {
			case value.IsZero():
			case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
				list := make([]any, value.Len())
				for n := range list {
					list[n] = jsonMembers(value.Index(n))
				}
				members[lowerFirst(f.Name)] = list
			default:
				members[f.Name] = v
			}
		}
	}
	return members
}

// lowerFirst turns Messages into messages and QueueUrls into queueUrls.
func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }
