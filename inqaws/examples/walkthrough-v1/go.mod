module example.com/inq/inqaws/examples/walkthrough-v1

go 1.25

replace example.com/inq => ../../../

require (
	example.com/inq v0.0.0
	github.com/aws/aws-sdk-go v1.55.8
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/jmespath/go-jmespath v0.4.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
