package topic

import (
	"encoding/xml"
	"errors"
	"net/http"

	"github.com/google/uuid"
)

// xmlNamespace is that of all answers of the API.
const xmlNamespace = "http://sns.amazonaws.com/doc/2010-03-31/"

// Links returns a handler for what the links in envelopes lead to: GET requests that confirm and end
// subscriptions, which nobody has to sign, and the certificate. It is for programs that deliver to
// HTTP(S) endpoints without serving the whole API; serve it at the address given to [WithBaseURL].
func (a *Account) Links() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "The method must be GET.", http.StatusMethodNotAllowed)
			return
		}
		query := r.URL.Query()
		switch action := query.Get("Action"); {
		case r.URL.Path == CertificatePath():
			w.Header().Set("Content-Type", "application/x-pem-file")
			_, _ = w.Write(Certificate())
		case action == "ConfirmSubscription":
			s, err := a.ConfirmSubscription(r.Context(), query.Get("TopicArn"), query.Get("Token"), false)
			if err != nil {
				writeFault(w, err)
				return
			}
			writeXML(w, http.StatusOK, struct {
				XMLName   xml.Name `xml:"ConfirmSubscriptionResponse"`
				Namespace string   `xml:"xmlns,attr"`
				ARN       string   `xml:"ConfirmSubscriptionResult>SubscriptionArn"`
				ID        string   `xml:"ResponseMetadata>RequestId"`
			}{Namespace: xmlNamespace, ARN: s.ARN(), ID: uuid.NewString()})
		case action == "Unsubscribe":
			if err := a.UnsubscribeByLink(r.Context(), query.Get("SubscriptionArn")); err != nil {
				writeFault(w, err)
				return
			}
			writeXML(w, http.StatusOK, struct {
				XMLName   xml.Name `xml:"UnsubscribeResponse"`
				Namespace string   `xml:"xmlns,attr"`
				ID        string   `xml:"ResponseMetadata>RequestId"`
			}{Namespace: xmlNamespace, ID: uuid.NewString()})
		default:
			http.NotFound(w, r)
		}
	})
}

// writeFault answers with an error of the API (SNS: WIRE-8).
func writeFault(w http.ResponseWriter, err error) {
	type fault struct {
		Type    string `xml:"Type"`
		Code    string `xml:"Code"`
		Message string `xml:"Message"`
	}
	status, f := http.StatusBadRequest, fault{"Sender", "InvalidParameter", err.Error()}
	var refusal *ParamError
	if errors.As(err, &refusal) {
		f.Message = refusal.Text
	}
	switch {
	case errors.Is(err, ErrTopicDoesNotExist), errors.Is(err, ErrSubscriptionDoesNotExist):
		status, f.Code = http.StatusNotFound, "NotFound"
	case !errors.Is(err, ErrInvalidParameter):
		status, f.Type, f.Code = http.StatusServiceUnavailable, "Receiver", "ServiceUnavailable"
	}
	writeXML(w, status, struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Namespace string   `xml:"xmlns,attr"`
		Error     fault    `xml:"Error"`
		ID        string   `xml:"RequestId"`
	}{Namespace: xmlNamespace, Error: f, ID: uuid.NewString()})
}

func writeXML(w http.ResponseWriter, status int, v any) {
	body, err := xml.Marshal(v)
	if err != nil {
		panic("bug: an answer has no XML form: " + err.Error())
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
