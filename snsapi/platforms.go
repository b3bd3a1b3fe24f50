package snsapi

type createPlatformApplicationRequest struct {
	Name, Platform *string
	Attributes     map[string]*string `query:"Attributes.entry,key,value"`
}

type applicationResult struct{ PlatformApplicationArn string }

func (c call) createPlatformApplication(in *createPlatformApplicationRequest) (*applicationResult, error) {
	name, err := given("Name", in.Name)
	if err != nil {
		return nil, err
	}
	platform, err := given("Platform", in.Platform)
	if err != nil {
		return nil, err
	}
	attributes, err := attributes(in.Attributes)
	if err != nil {
		return nil, err
	}
	arn, err := c.account.CreatePlatformApplication(name, platform, attributes)
	if err != nil {
		return nil, err
	}
	return &applicationResult{arn}, nil
}

type applicationRequest struct{ PlatformApplicationArn *string }

func (c call) deletePlatformApplication(in *applicationRequest) error {
	arn, err := given("PlatformApplicationArn", in.PlatformApplicationArn)
	if err != nil {
		return err
	}
	return c.account.DeletePlatformApplication(arn)
}

type application struct {
	PlatformApplicationArn string
	Attributes             map[string]string `query:"Attributes.entry,key,value"`
}

type listApplicationsResult struct {
	PlatformApplications []application `query:"PlatformApplications.member"`
	NextToken            string
}

func (c call) listPlatformApplications(in *pageRequest) (*listApplicationsResult, error) {
	page, next, err := c.account.PlatformApplications(text(in.NextToken))
	if err != nil {
		return nil, err
	}
	out := &listApplicationsResult{PlatformApplications: make([]application, len(page)), NextToken: next}
	for i, r := range page {
		out.PlatformApplications[i] = application{r.ARN, r.Attributes}
	}
	return out, nil
}

func (c call) getPlatformApplicationAttributes(in *applicationRequest) (*attributesResult, error) {
	arn, err := given("PlatformApplicationArn", in.PlatformApplicationArn)
	if err != nil {
		return nil, err
	}
	return resultOf(c.account.PlatformApplicationAttributes(arn))
}

func resultOf(attributes map[string]string, err error) (*attributesResult, error) {
	if err != nil {
		return nil, err
	}
	return &attributesResult{attributes}, nil
}

type setApplicationAttributesRequest struct {
	PlatformApplicationArn *string
	Attributes             map[string]*string `query:"Attributes.entry,key,value"`
}

func (c call) setPlatformApplicationAttributes(in *setApplicationAttributesRequest) error {
	arn, err := given("PlatformApplicationArn", in.PlatformApplicationArn)
	if err != nil {
		return err
	}
	attributes, err := attributes(in.Attributes)
	if err != nil {
		return err
	}
	return c.account.SetPlatformApplicationAttributes(arn, attributes)
}

type createEndpointRequest struct {
	PlatformApplicationArn, Token, CustomUserData *string
	Attributes                                    map[string]*string `query:"Attributes.entry,key,value"`
}

type endpointResult struct{ EndpointArn string }

func (c call) createPlatformEndpoint(in *createEndpointRequest) (*endpointResult, error) {
	arn, err := given("PlatformApplicationArn", in.PlatformApplicationArn)
	if err != nil {
		return nil, err
	}
	token, err := given("Token", in.Token)
	if err != nil {
		return nil, err
	}
	attributes, err := attributes(in.Attributes)
	if err != nil {
		return nil, err
	}
	const userData = "CustomUserData"
	if _, said := attributes[userData]; !said && in.CustomUserData != nil { // (SNS: PLAT-7)
		attributes[userData] = *in.CustomUserData
	}
	endpoint, err := c.account.CreatePlatformEndpoint(arn, token, attributes)
	if err != nil {
		return nil, err
	}
	return &endpointResult{endpoint}, nil
}

type endpointRequest struct{ EndpointArn *string }

func (c call) deleteEndpoint(in *endpointRequest) error {
	arn, err := given("EndpointArn", in.EndpointArn)
	if err != nil {
		return err
	}
	return c.account.DeleteEndpoint(arn)
}

type listEndpointsRequest struct{ PlatformApplicationArn, NextToken *string }

type endpoint struct {
	EndpointArn string
	Attributes  map[string]string `query:"Attributes.entry,key,value"`
}

type listEndpointsResult struct {
	Endpoints []endpoint `query:"Endpoints.member"`
	NextToken string
}

func (c call) listEndpointsByPlatformApplication(in *listEndpointsRequest) (*listEndpointsResult, error) {
	arn, err := given("PlatformApplicationArn", in.PlatformApplicationArn)
	if err != nil {
		return nil, err
	}
	page, next, err := c.account.Endpoints(arn, text(in.NextToken))
	if err != nil {
		return nil, err
	}
	out := &listEndpointsResult{Endpoints: make([]endpoint, len(page)), NextToken: next}
	for i, r := range page {
		out.Endpoints[i] = endpoint{r.ARN, r.Attributes}
	}
	return out, nil
}

func (c call) getEndpointAttributes(in *endpointRequest) (*attributesResult, error) {
	arn, err := given("EndpointArn", in.EndpointArn)
	if err != nil {
		return nil, err
	}
	return resultOf(c.account.EndpointAttributes(arn))
}

type setEndpointAttributesRequest struct {
	EndpointArn *string
	Attributes  map[string]*string `query:"Attributes.entry,key,value"`
}

func (c call) setEndpointAttributes(in *setEndpointAttributesRequest) error {
	arn, err := given("EndpointArn", in.EndpointArn)
	if err != nil {
		return err
	}
	attributes, err := attributes(in.Attributes)
	if err != nil {
		return err
	}
	return c.account.SetEndpointAttributes(arn, attributes)
}
