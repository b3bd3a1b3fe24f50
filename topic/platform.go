package topic

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"example.com/inq/internal/durable"
)

// platforms are the platform applications of an account with their endpoints, under its lock. They are
// records: no push service is asked (SNS: section 15.1).
type platforms struct {
	applications map[string]*platformApplication // by ARN
	list         roster[platformApplication]
	endpoints    map[string]*platformEndpoint // by ARN
}

type platformApplication struct {
	arn        string
	platform   string
	name       string
	attributes map[string]string
	object     uint64 // in the journal of the account
	serial     uint64
	byToken    map[string]*platformEndpoint
	list       roster[platformEndpoint]
}

type platformEndpoint struct {
	arn         string
	application *platformApplication
	attributes  map[string]string
	object      uint64 // in the journal of the account
	serial      uint64
}

// PlatformResource is a platform application or an endpoint with its attributes, in a list.
type PlatformResource struct {
	ARN        string
	Attributes map[string]string
}

var platformNames = []string{"ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "BAIDU", "Baidu", "FCM", "GCM", "MACOS",
	"MACOS_SANDBOX", "MPNS", "WNS"}

// maxUserData is the length of CustomUserData in bytes (SNS: PLAT-9).
const maxUserData = 2048

// errNoAttributes is the refusal of a required map that was not sent (SNS: WIRE-16).
func errNoAttributes() error {
	return &ParamError{Err: ErrMissingValue, Param: "Attributes", Reason: "must not be empty",
		Text: "1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not be null"}
}

func badPlatformAttributes(reason string) error { return invalid("Attributes", nil, reason) }

// CreatePlatformApplication makes a record of an app on a push platform and returns its ARN. One that
// exists is changed like by [Account.SetPlatformApplicationAttributes] (SNS: PLAT-1 to PLAT-3).
func (a *Account) CreatePlatformApplication(name, platform string, attributes map[string]string) (arn string, err error) {
	if len(attributes) == 0 {
		return "", errNoAttributes()
	}
	refuse := func(reason string) error { return invalid(name, nil, reason) }
	switch {
	case name == "":
		return "", &ParamError{Err: ErrInvalidParameter, Param: "Name", Value: "", Text: "Invalid parameter:  Reason: cannot be empty"}
	case utf8.RuneCountInString(name) > maxNameLength:
		return "", refuse("must be at most 256 characters long")
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != "":
		return "", refuse("must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'")
	case !slices.Contains(platformNames, platform):
		return "", &ParamError{Err: ErrInvalidParameter, Param: "Platform", Value: platform, Reason: "must be one of " + strings.Join(platformNames, ", "),
			Text: "Invalid parameter: Platform Reason: " + platform + " is not supported"}
	}
	_, principal := attributes["PlatformPrincipal"]
	_, credential := attributes["PlatformCredential"]
	if principal && !credential {
		return "", badPlatformAttributes("PlatformPrincipal attribute provided without PlatformCredential")
	}
	if credential && !principal && platform != "GCM" && platform != "FCM" {
		return "", badPlatformAttributes("PlatformCredential attribute provided without PlatformPrincipal")
	}
	if err := a.lock(); err != nil {
		return "", err
	}
	defer a.commit(&err)
	arn = "arn:aws:sns:" + a.region + ":" + a.id + ":app/" + platform + "/" + name
	app := a.platforms.applications[arn]
	if app == nil {
		app = &platformApplication{arn: arn, platform: platform, name: name, object: a.nextNumber(), attributes: map[string]string{"Enabled": "true"}}
	}
	if err := a.setApplicationLocked(app, attributes); err != nil {
		return "", err
	}
	if a.platforms.applications[arn] == nil {
		a.platforms.add(app)
	}
	return arn, nil
}

// add takes an application in.
func (p *platforms) add(app *platformApplication) {
	if p.applications == nil {
		p.applications = map[string]*platformApplication{}
		p.endpoints = map[string]*platformEndpoint{}
	}
	app.byToken = map[string]*platformEndpoint{}
	p.applications[app.arn] = app
	app.serial = p.list.add(app)
}

// addEndpoint takes an endpoint in.
func (p *platforms) addEndpoint(e *platformEndpoint) {
	p.endpoints[e.arn] = e
	e.application.byToken[e.attributes["Token"]] = e
	e.serial = e.application.list.add(e)
}

// setApplicationLocked keeps attributes, but not the secrets, which are never shown (SNS: PLAT-4). The
// account's lock must be held.
func (a *Account) setApplicationLocked(app *platformApplication, attributes map[string]string) error {
	all := maps.Clone(app.attributes)
	for name, value := range attributes {
		if name != "PlatformPrincipal" && name != "PlatformCredential" {
			all[name] = value
		}
	}
	err := a.writeLocked(func(b *durable.Batch) {
		put(b, app.object, &platformRecord{of: kindApplication, arn: app.arn, platform: app.platform, name: app.name, attributes: all})
	})
	if err == nil {
		app.attributes = all
	}
	return err
}

// record returns the endpoint as it is written, with attributes that it may not have yet.
func (e *platformEndpoint) record(attributes map[string]string) *platformRecord {
	return &platformRecord{of: kindEndpoint, arn: e.arn, application: e.application.object, attributes: attributes}
}

// application finds a platform application (SNS: PLAT-5).
func (p *platforms) application(arn string) (*platformApplication, error) {
	if _, refusal := splitARN(arn, "PlatformApplicationArn"); refusal != nil {
		return nil, refusal
	}
	if app := p.applications[arn]; app != nil {
		return app, nil
	}
	return nil, &ParamError{Err: ErrPlatformApplicationDoesNotExist, Param: "PlatformApplicationArn", Value: arn, Text: "PlatformApplication does not exist"}
}

// endpoint finds a platform endpoint (SNS: PLAT-10).
func (p *platforms) endpoint(arn string) (*platformEndpoint, error) {
	if _, refusal := splitARN(arn, "EndpointArn"); refusal != nil {
		return nil, refusal
	}
	if e := p.endpoints[arn]; e != nil {
		return e, nil
	}
	return nil, &ParamError{Err: ErrEndpointDoesNotExist, Param: "EndpointArn", Value: arn, Text: "Endpoint does not exist"}
}

// enabled returns an error for an endpoint that takes nothing.
func (e *platformEndpoint) enabled() error {
	if e.attributes["Enabled"] == "true" {
		return nil
	}
	return &ParamError{Err: ErrEndpointDisabled, Param: "TargetArn", Value: e.arn, Text: "Endpoint is disabled"}
}

// subscribable returns the platform of an endpoint that can be subscribed (SNS: PLAT-11).
func (p *platforms) subscribable(arn string) (platform string, refusal *ParamError) {
	e := p.endpoints[arn]
	if e == nil {
		return "", &ParamError{Err: ErrInvalidParameter, Param: "Endpoint", Value: arn, Reason: "must be the ARN of a platform endpoint",
			Text: "Invalid parameter: Endpoint Reason: Endpoint does not exist for endpoint arn" + arn}
	}
	return e.application.platform, nil
}

// PlatformApplicationAttributes returns the attributes of a platform application, but not its secrets
// (SNS: PLAT-4). [ErrPlatformApplicationDoesNotExist] where there is none, here and below.
func (a *Account) PlatformApplicationAttributes(arn string) (map[string]string, error) {
	if err := a.lock(); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	app, err := a.platforms.application(arn)
	if err != nil {
		return nil, err
	}
	return maps.Clone(app.attributes), nil
}

// SetPlatformApplicationAttributes adds attributes and overwrites those there are. Without any it is
// refused with [ErrMissingValue] (SNS: WIRE-16, PLAT-5).
func (a *Account) SetPlatformApplicationAttributes(arn string, attributes map[string]string) (err error) {
	if len(attributes) == 0 {
		return errNoAttributes()
	}
	if err := a.lock(); err != nil {
		return err
	}
	defer a.commit(&err)
	app, err := a.platforms.application(arn)
	if err != nil {
		return err
	}
	return a.setApplicationLocked(app, attributes)
}

// DeletePlatformApplication deletes a platform application with its endpoints. One that does not exist
// is deleted already (SNS: PLAT-6).
func (a *Account) DeletePlatformApplication(arn string) (err error) {
	if err := a.lock(); err != nil {
		return err
	}
	defer a.commit(&err)
	app, err := a.platforms.application(arn)
	if err != nil {
		if app == nil && isNoApplication(err) {
			return nil
		}
		return err
	}
	err = a.writeLocked(func(b *durable.Batch) {
		b.Delete(app.object)
		for _, e := range app.list.all() {
			b.Delete(e.object)
		}
	})
	if err != nil {
		return err
	}
	for _, e := range app.list.all() {
		delete(a.platforms.endpoints, e.arn)
	}
	delete(a.platforms.applications, arn)
	a.platforms.list.remove(app.serial)
	return nil
}

// PlatformApplications returns a page of up to 100 platform applications. See [Account.Topics] for
// tokens.
func (a *Account) PlatformApplications(token string) (page []PlatformResource, next string, err error) {
	if err := a.lock(); err != nil {
		return nil, "", err
	}
	defer a.mu.Unlock()
	apps, next, err := pageOf(&a.platforms.list, token)
	for _, app := range apps {
		page = append(page, PlatformResource{app.arn, maps.Clone(app.attributes)})
	}
	return page, next, err
}

// CreatePlatformEndpoint makes a record of an app on one device, by the token that the platform gave to
// it, and returns its ARN. The same token with equal attributes is the same endpoint (SNS: PLAT-7 to
// PLAT-9).
func (a *Account) CreatePlatformEndpoint(applicationARN, token string, attributes map[string]string) (arn string, err error) {
	if err := a.lock(); err != nil {
		return "", err
	}
	defer a.commit(&err)
	app, err := a.platforms.application(applicationARN)
	if err != nil {
		return "", err
	}
	if token == "" {
		return "", invalid("Token", token, "no value for required parameter")
	}
	if err := checkEndpointAttributes(attributes); err != nil {
		return "", err
	}
	wanted := map[string]string{"Enabled": "true"}
	maps.Copy(wanted, attributes)
	wanted["Token"] = token
	if e := app.byToken[token]; e != nil {
		if !maps.Equal(e.attributes, wanted) {
			return "", &ParamError{Err: ErrInvalidParameter, Param: "Token", Reason: "the endpoint exists with other attributes: " + e.arn,
				Text: "Invalid parameter: Token Reason: Endpoint " + e.arn + " already exists with the same Token, but different attributes."}
		}
		return e.arn, nil
	}
	e := &platformEndpoint{application: app, attributes: wanted, object: a.nextNumber(),
		arn: "arn:aws:sns:" + a.region + ":" + a.id + ":endpoint/" + app.platform + "/" + app.name + "/" + uuid.NewString()}
	if err := a.writeLocked(func(b *durable.Batch) { put(b, e.object, e.record(wanted)) }); err != nil {
		return "", err
	}
	a.platforms.addEndpoint(e)
	return e.arn, nil
}

// checkEndpointAttributes applies SNS: PLAT-9.
func checkEndpointAttributes(attributes map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		switch value := attributes[name]; {
		case name != "CustomUserData" && name != "Enabled" && name != "Token":
			return badPlatformAttributes("Invalid attribute name: " + name)
		case name == "CustomUserData" && len(value) > maxUserData:
			return badPlatformAttributes(fmt.Sprintf("Invalid value for attribute: CustomUserData: must be at most %d bytes long in UTF-8 encoding", maxUserData))
		case name == "Enabled" && value != "true" && value != "false":
			return badPlatformAttributes("Invalid value for attribute: Enabled: must be true or false")
		case name == "Token" && value == "":
			return badPlatformAttributes("Invalid value for attribute: Token: must not be empty")
		}
	}
	return nil
}

// EndpointAttributes returns the attributes of a platform endpoint (SNS: PLAT-7).
// [ErrEndpointDoesNotExist] where there is none.
func (a *Account) EndpointAttributes(arn string) (map[string]string, error) {
	if err := a.lock(); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	e, err := a.platforms.endpoint(arn)
	if err != nil {
		return nil, err
	}
	return maps.Clone(e.attributes), nil
}

// SetEndpointAttributes adds attributes of a platform endpoint and overwrites those there are. Without
// any it is refused with [ErrMissingValue] (SNS: WIRE-16, PLAT-9).
func (a *Account) SetEndpointAttributes(arn string, attributes map[string]string) (err error) {
	if len(attributes) == 0 {
		return errNoAttributes()
	}
	if err := a.lock(); err != nil {
		return err
	}
	defer a.commit(&err)
	e, err := a.platforms.endpoint(arn)
	if err != nil {
		return err
	}
	if err := checkEndpointAttributes(attributes); err != nil {
		return err
	}
	app, token := e.application, e.attributes["Token"]
	if next, ok := attributes["Token"]; ok && next != token {
		if other := app.byToken[next]; other != nil {
			return &ParamError{Err: ErrInvalidParameter, Param: "Token", Reason: "another endpoint has it: " + other.arn,
				Text: "Invalid parameter: Token Reason: Endpoint " + other.arn + " already exists with the same Token, but different attributes."}
		}
	}
	all := maps.Clone(e.attributes)
	maps.Copy(all, attributes)
	if err := a.writeLocked(func(b *durable.Batch) { put(b, e.object, e.record(all)) }); err != nil {
		return err
	}
	e.attributes = all
	delete(app.byToken, token)
	app.byToken[all["Token"]] = e
	return nil
}

// DeleteEndpoint deletes a platform endpoint. One that does not exist is deleted already. Subscriptions
// of it stay, and their copies go to the dead letters (SNS: PLAT-6, PLAT-11).
func (a *Account) DeleteEndpoint(arn string) (err error) {
	if err := a.lock(); err != nil {
		return err
	}
	defer a.commit(&err)
	e, err := a.platforms.endpoint(arn)
	if err != nil {
		if isNoEndpoint(err) {
			return nil
		}
		return err
	}
	if err := a.writeLocked(func(b *durable.Batch) { b.Delete(e.object) }); err != nil {
		return err
	}
	delete(a.platforms.endpoints, arn)
	delete(e.application.byToken, e.attributes["Token"])
	e.application.list.remove(e.serial)
	return nil
}

// Endpoints returns a page of up to 100 endpoints of a platform application. See [Account.Topics] for
// tokens.
func (a *Account) Endpoints(applicationARN, token string) (page []PlatformResource, next string, err error) {
	if err := a.lock(); err != nil {
		return nil, "", err
	}
	defer a.mu.Unlock()
	app, err := a.platforms.application(applicationARN)
	if err != nil {
		return nil, "", err
	}
	endpoints, next, err := pageOf(&app.list, token)
	for _, e := range endpoints {
		page = append(page, PlatformResource{e.arn, maps.Clone(e.attributes)})
	}
	return page, next, err
}

// Publish publishes to what an ARN names: a topic, or a platform endpoint, whose message goes into the
// [Outbox] (SNS: PUB-1). [ErrEndpointDisabled] for an endpoint that is not enabled, before the message
// is looked at (SNS: PLAT-10).
func (a *Account) Publish(ctx context.Context, arn string, m Message) (Published, error) {
	if err := checkContext(ctx); err != nil {
		return Published{}, err
	}
	if !strings.Contains(arn, ":endpoint/") {
		t, err := a.ByARN(arn)
		if err != nil {
			return Published{}, err
		}
		return t.Publish(ctx, m)
	}
	if err := a.lock(); err != nil {
		return Published{}, err
	}
	e, err := a.platforms.endpoint(arn)
	if err == nil {
		err = e.enabled()
	} else {
		err = invalid("TargetArn", arn, "No endpoint found for the target arn specified")
	}
	a.mu.Unlock()
	if err != nil {
		return Published{}, err
	}
	return a.publishDirectly("application", arn, e.application.platform, &m)
}
