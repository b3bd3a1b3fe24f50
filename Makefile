# The modules come from go.work, the one list of them. Commands run outside the
# workspace, so that each module is checked as its users see it.
MODULES := $(shell sed -n '/^use (/,/^)/s/^\t\(\..*\)$$/\1/p' go.work)
FUZZTIME ?= 30s
BENCH ?= .
BENCHTIME ?= 1s
BIN := $(CURDIR)/.bin

# $(call each,COMMAND) runs COMMAND in every module that holds packages.
each = @set -e; for m in $(MODULES); do \
	if [ -n "$$(cd $$m && GOWORK=off go list ./... 2>/dev/null)" ]; then echo "[$$m] $(1)"; (cd $$m && GOWORK=off $(1)); fi; \
	done

.DEFAULT_GOAL := help
.PHONY: help test race cover vet fmt lint fuzz bench examples inqd ci tidy

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-10s %s\n", $$1, $$2}' Makefile

test: ## run the tests of every module, in random order
	$(call each,go test -shuffle on ./...)

race: ## run the tests of every module with the race detector
	$(call each,go test -race -shuffle on ./...)

cover: ## show the coverage of the root package; details in coverage.txt
	go test -covermode=atomic -coverprofile=cover.out .
	go tool cover -func=cover.out > coverage.txt
	@tail -n 1 coverage.txt

vet: ## run go vet in every module
	$(call each,go vet ./...)

fmt: ## format all Go files
	gofmt -w $$(git ls-files '*.go')

lint: vet $(BIN)/staticcheck ## run go vet and the pinned staticcheck in every module
	$(call each,$(BIN)/staticcheck ./...)

$(BIN)/staticcheck: tools/go.mod tools/go.sum
	cd tools && GOWORK=off go build -o $@ honnef.co/go/tools/cmd/staticcheck

fuzz: ## run every fuzz target of the root module for FUZZTIME (30s)
	@set -e; for p in $$(go list ./...); do \
	for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	echo "[$$p] $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p; \
	done; done

bench: ## run the root package's benchmarks that match BENCH (all) for BENCHTIME (1s)
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) .

examples: ## run the example programs that end by themselves
	@set -e; for e in first thumbnails twice polling orders webhooks autoscale cron fanout; do \
		echo "== $$e"; go run ./examples/$$e; done

inqd: ## serve the HTTP API of SQS on 127.0.0.1:9324; go run ./cmd/inqd -h explains more
	go run ./cmd/inqd

ci: ## check everything, as continuous integration does
	bash .ci/run

tidy: ## tidy go.mod and go.sum of every module
	@set -e; for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy); done
