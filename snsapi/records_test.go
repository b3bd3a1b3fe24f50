package snsapi

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlatforms(t *testing.T) {
	c := newClient(t)
	const null = "1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not be null"
	c.call("CreatePlatformApplication", "Name=app", "Platform=GCM").fails(400, "ValidationError", null)
	app := c.call("CreatePlatformApplication", "Name=app", "Platform=GCM", "Attributes.entry.1.key=PlatformCredential", "Attributes.entry.1.value=s").value("PlatformApplicationArn")
	assert.Equal(t, arn+"app/GCM/app", app)
	assert.Contains(t, c.call("ListPlatformApplications").ok(), `<PlatformApplications><member><PlatformApplicationArn>`+app+
		`</PlatformApplicationArn><Attributes><entry><key>Enabled</key><value>true</value></entry></Attributes></member></PlatformApplications>`)
	on := "PlatformApplicationArn=" + app
	c.call("SetPlatformApplicationAttributes", on).fails(400, "ValidationError", null)
	c.call("SetPlatformApplicationAttributes", on, "Attributes.entry.1.key=SuccessFeedbackSampleRate", "Attributes.entry.1.value=10").ok()
	assert.Contains(t, c.call("GetPlatformApplicationAttributes", on).ok(), "<value>10</value>")
	c.call("GetPlatformApplicationAttributes", on+"x").fails(404, "NotFound", "PlatformApplication does not exist")

	e := "EndpointArn=" + c.call("CreatePlatformEndpoint", on, "Token=tok", "CustomUserData=mine").value("EndpointArn")
	assert.Contains(t, c.call("GetEndpointAttributes", e).ok(), "<key>CustomUserData</key><value>mine</value>")
	other := c.call("CreatePlatformEndpoint", on, "Token=tok2", "CustomUserData=mine", "Attributes.entry.1.key=CustomUserData", "Attributes.entry.1.value=wins").value("EndpointArn")
	assert.Contains(t, c.call("GetEndpointAttributes", "EndpointArn="+other).ok(), "<value>wins</value>")
	assert.Equal(t, 2, strings.Count(c.call("ListEndpointsByPlatformApplication", on).ok(), "<EndpointArn>"))
	c.call("Publish", "TargetArn="+other, "Message=m").ok()
	require.Len(t, c.account.Outbox().Take(), 1)
	c.call("SetEndpointAttributes", "EndpointArn="+other, "Attributes.entry.1.key=Enabled", "Attributes.entry.1.value=false").ok()
	c.call("Publish", "TargetArn="+other, "Message=m").fails(400, "EndpointDisabled", "Endpoint is disabled")
	c.call("Publish", "TargetArn="+other, "Message=m", "Subject=").fails(400, "EndpointDisabled", "Endpoint is disabled")
	c.call("DeleteEndpoint", "EndpointArn="+other).ok()
	c.call("Publish", "TargetArn="+other, "Message=m").invalid("Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified")
	c.call("GetEndpointAttributes", "EndpointArn="+other).fails(404, "NotFound", "Endpoint does not exist")
	c.call("DeletePlatformApplication", on).ok()
	c.call("ListEndpointsByPlatformApplication", on).fails(404, "NotFound", "PlatformApplication does not exist")
}

func TestSMS(t *testing.T) {
	c := newClient(t)
	assert.Equal(t, `<GetSMSAttributesResponse`+xmlns+`><GetSMSAttributesResult><attributes><entry><key>MonthlySpendLimit</key><value>1</value></entry></attributes></GetSMSAttributesResult>`+
		`<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></GetSMSAttributesResponse>`, c.call("GetSMSAttributes").ok())
	c.call("SetSMSAttributes", "attributes.entry.1.key=DefaultSMSType", "attributes.entry.1.value=Transactional").ok()
	assert.Contains(t, c.call("GetSMSAttributes", "attributes.member.1=DefaultSMSType").ok(), "<attributes><entry><key>DefaultSMSType</key><value>Transactional</value></entry></attributes>")
	c.call("SetSMSAttributes", "attributes.entry.1.key=DefaultSendID", "attributes.entry.1.value=x").invalid("DefaultSendID is not a valid attribute")
	c.call("Publish", "PhoneNumber=+15551234567", "Message=hi").ok()
	assert.Equal(t, "hi", c.account.Outbox().Take()[0].Body)
	c.call("Publish", "PhoneNumber=no", "Message=hi").invalid("Invalid parameter: PhoneNumber Reason: no is not valid to publish to")

	assert.Contains(t, c.call("ListPhoneNumbersOptedOut").ok(), "<phoneNumbers/>")
	require.NoError(t, c.account.OptOut("+15551234567"))
	assert.Contains(t, c.call("ListPhoneNumbersOptedOut").ok(), "<phoneNumbers><member>+15551234567</member></phoneNumbers>")
	assert.Equal(t, "true", c.call("CheckIfPhoneNumberIsOptedOut", "phoneNumber=+15551234567").value("isOptedOut"))
	assert.Contains(t, c.call("OptInPhoneNumber", "phoneNumber=+15551234567").ok(), "<OptInPhoneNumberResult/>")
	assert.Equal(t, "false", c.call("CheckIfPhoneNumberIsOptedOut", "phoneNumber=+15551234567").value("isOptedOut"))
	c.call("OptInPhoneNumber", "phoneNumber=x").invalid("Invalid parameter: PhoneNumber Reason: input incorrectly formatted")

	assert.Contains(t, c.call("ListOriginationNumbers").ok(), "<PhoneNumbers/>")
	assert.Contains(t, c.call("ListSMSSandboxPhoneNumbers").ok(), "<PhoneNumbers/>")
	c.call("VerifySMSSandboxPhoneNumber").fails(400, "InvalidAction", "The action VerifySMSSandboxPhoneNumber is not supported here: there is no sandbox for text messages.")
}
