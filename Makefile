# make test    every test with the race detector; finds or installs what they need
# make help    everything else

GOLANGCI_VERSION := v2.15.0
GOLANGCI := .bin/golangci-lint-$(GOLANGCI_VERSION)

FUZZTIME ?= 30s
BENCH    ?= .
COUNT    ?= 1
PKG      ?= ./...
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)

.DEFAULT_GOAL := help
.PHONY: help test cover lint fix bench microbench fuzz generate picture demo build clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: ## Every test, with the race detector (PKG=./store/... for one room)
	.ci/test-deps go test -race -timeout 25m $(PKG)
	$(if $(filter ./...,$(PKG)),go test -run '^TestScannersChangeNothing$$' ./handlers)

cover: ## Tests with coverage; the report is .bin/cover.html
	@mkdir -p .bin
	.ci/test-deps go test -timeout 10m -coverpkg=./... -coverprofile=.bin/cover.out $(PKG)
	go tool cover -html=.bin/cover.out -o .bin/cover.html
	go tool cover -func=.bin/cover.out | tail -n 1

lint: $(GOLANGCI) ## go vet and golangci-lint: the map of the rooms, forbidden calls, style
	go vet ./...
	$(GOLANGCI) run ./...

fix: $(GOLANGCI) ## Format the code
	$(GOLANGCI) fmt ./...

# Built from source by the Go command, apart from go.mod; needs no download of binaries.
$(GOLANGCI):
	@mkdir -p .bin/tmp
	GOBIN=$(CURDIR)/.bin/tmp go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv .bin/tmp/golangci-lint $@ && rmdir .bin/tmp

bench: ## Measure the whole program against the machine's limits; writes docs/benchmarks.md (ARGS=-full, ARGS=-help)
	.ci/test-deps go run ./cmd/bench $(ARGS)

microbench: ## Go's benchmarks (BENCH=Record PKG=./store COUNT=5)
	.ci/test-deps go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 30m $(PKG)

fuzz: ## Every fuzz target for FUZZTIME (30s)
	.ci/test-deps env FUZZTIME=$(FUZZTIME) .ci/fuzz $(PKG)

generate: ## Everything that is made from code: the README's table of providers and the like
	go generate ./...

picture: ## Draw the pictures in docs/images anew
	.ci/test-deps go test ./templates -run TestBrowser/pictures -update
	.ci/test-deps go test ./handlers/admin -run 'TestDeskInTheBrowser/(strikeouts|pictures)' -update

demo: ## Strikeout with sample contacts and simulated, signed traffic
	go run ./cmd/strikeout demo

build: ## One static binary, dist/strikeout
	@mkdir -p dist
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o dist/strikeout ./cmd/strikeout

clean: ## Remove what was built
	rm -rf .bin dist
