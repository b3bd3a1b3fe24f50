package snsapi

// Members of these operations begin with a lower-case letter (SNS: SMS-6, SMS-7).

type getSMSAttributesRequest struct {
	Attributes []string `query:"attributes.member"`
}

type smsAttributesResult struct {
	Attributes map[string]string `query:"attributes.entry,key,value"`
}

func (c call) getSMSAttributes(in *getSMSAttributesRequest) (*smsAttributesResult, error) {
	attributes, err := c.account.SMSAttributes(in.Attributes...)
	if err != nil {
		return nil, err
	}
	return &smsAttributesResult{attributes}, nil
}

type setSMSAttributesRequest struct {
	Attributes map[string]*string `query:"attributes.entry,key,value"`
}

func (c call) setSMSAttributes(in *setSMSAttributesRequest) error {
	attributes, err := attributes(in.Attributes)
	if err != nil {
		return err
	}
	if len(attributes) == 0 {
		return null("attributes")
	}
	return c.account.SetSMSAttributes(attributes)
}

type phoneNumberRequest struct {
	PhoneNumber *string `query:"phoneNumber"`
}

type optedOutResult struct {
	IsOptedOut bool `query:"isOptedOut"`
}

func (c call) checkIfPhoneNumberIsOptedOut(in *phoneNumberRequest) (*optedOutResult, error) {
	number, err := given("PhoneNumber", in.PhoneNumber)
	if err != nil {
		return nil, err
	}
	out, err := c.account.OptedOut(number)
	if err != nil {
		return nil, err
	}
	return &optedOutResult{out}, nil
}

func (c call) optInPhoneNumber(in *phoneNumberRequest) error {
	number, err := given("PhoneNumber", in.PhoneNumber)
	if err != nil {
		return err
	}
	return c.account.OptIn(number)
}

type listOptedOutRequest struct {
	NextToken *string `query:"nextToken"`
}

type listOptedOutResult struct {
	PhoneNumbers []string `query:"phoneNumbers.member"`
	NextToken    string   `query:"nextToken"`
}

// listPhoneNumbersOptedOut lists a page of up to 100; a token is the last number of the page before.
func (c call) listPhoneNumbersOptedOut(in *listOptedOutRequest) (*listOptedOutResult, error) {
	all, err := c.account.OptedOutNumbers()
	if err != nil {
		return nil, err
	}
	out := &listOptedOutResult{PhoneNumbers: []string{}}
	for _, number := range all {
		if number <= text(in.NextToken) {
			continue
		}
		if len(out.PhoneNumbers) == pageSize {
			out.NextToken = out.PhoneNumbers[pageSize-1]
			break
		}
		out.PhoneNumbers = append(out.PhoneNumbers, number)
	}
	return out, nil
}

// pageSize is how many items a page of a list has (SNS: TOP-10).
const pageSize = 100

type noNumbersResult struct {
	PhoneNumbers []struct{} `query:"PhoneNumbers.member"`
}

// listNoNumbers answers where there are none (SNS: OUT-5).
func (c call) listNoNumbers(*struct{}) (*noNumbersResult, error) {
	return &noNumbersResult{[]struct{}{}}, nil
}
