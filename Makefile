# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0

.DEFAULT_GOAL := help
SHELL := bash

VERSION ?= v0.1.0-dev
PACKAGE := github.com/bluek8s/kubedirector
LDFLAGS := -s -w -X $(PACKAGE)/pkg/version.gitVersion=$(VERSION)
GOFLAGS_VENDOR := -mod=vendor
PLATFORMS ?= linux/$(shell go env GOARCH)
export SEED WALKS VERSION PLATFORMS CONTEXT REGISTRY TO IMAGE DELETE_CLUSTERS

##@ Use

.PHONY: demo
demo: ## Run Spark with Jupyter on a real Kubernetes on this machine (CONTEXT=name: on a cluster of yours)
	hack/demo.sh up

.PHONY: demo-down
demo-down: ## Remove what the demo made, and the devcluster it started
	hack/demo.sh down

.PHONY: deploy
deploy: ## Install KubeDirector in a cluster (CONTEXT=name with REGISTRY=…, or TO=devcluster|kind|minikube)
	hack/deploy.sh up

.PHONY: undeploy
undeploy: ## Remove it; refuses while there are clusters (DELETE_CLUSTERS=yes: deletes them first)
	hack/deploy.sh down

##@ Build

.PHONY: build
build: ## Build kubedirector and kdguest into _output/bin
	CGO_ENABLED=0 go build $(GOFLAGS_VENDOR) -trimpath -ldflags '$(LDFLAGS)' -o _output/bin/ ./cmd/...

.PHONY: image
image: ## Build the images: kubedirector, the catalog's, the tests' (PLATFORMS=linux/amd64,linux/arm64)
	hack/images/image.sh

.PHONY: image-load
image-load: ## Load the images into a cluster (TO=devcluster|kind|minikube)
	hack/images/image-load.sh

.PHONY: image-push
image-push: ## Push the images to a registry (REGISTRY=registry.example.com/project)
	hack/images/image-push.sh

##@ Develop

.PHONY: generate
generate: ## Generate clients, deepcopy functions, CRDs and the documents printed from code
	hack/generate.sh

.PHONY: verify
verify: ## Fail when generated files, vendor or formatting are stale
	hack/verify.sh

.PHONY: lint
lint: ## go vet, staticcheck, shellcheck
	hack/lint.sh

.PHONY: test
test: ## All tests: unit, API server, real kubelets (REQUIRE_ALL=1: a tier that cannot run fails)
	hack/test.sh

.PHONY: test-unit
test-unit: ## The tests that need nothing but Go
	go test $(GOFLAGS_VENDOR) ./cmd/... ./pkg/...

.PHONY: sim
sim: ## Random lives in the simulated world, on all cores (SEED=1 WALKS=1000: which, and how many)
	hack/sim.sh

.PHONY: mutants
mutants: ## Break the controller in each of the ways in hack/mutants; the simulation must notice every one
	go run $(GOFLAGS_VENDOR) ./hack/mutants $(MUTANTS)

.PHONY: mutation-score
mutation-score: ## Change one operator of the decisions at a time: which changes do their own tests not notice
	hack/mutants/score.sh

.PHONY: fuzz
fuzz: ## Every fuzz target, one after the other (FUZZTIME=30s)
	hack/fuzz.sh

##@ A Kubernetes of its own

.PHONY: devcluster
devcluster: ## Start a real Kubernetes on this Linux machine, with two nodes
	hack/devcluster.sh up

.PHONY: devcluster-down
devcluster-down: ## Stop it and leave nothing behind
	hack/devcluster.sh down

##@ Tidy

.PHONY: clean
clean: ## Remove what was built (the caches under .cache stay; remove that folder to lose them too)
	rm -rf _output

.PHONY: help
help: ## Show this
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*##/ {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
