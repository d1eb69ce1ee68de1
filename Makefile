# The few commands a person needs. Everything is installed inside this folder: .venv (the project),
# .tools (commands with pins of their own), .penstock (what job runs need, and local state).

SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.8
SAM_VERSION := 1.170.0

export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
export UV_TOOL_DIR := $(CURDIR)/.tools/environments
export UV_TOOL_BIN_DIR := $(CURDIR)/.tools/bin
export SAM_CLI_TELEMETRY := 0
export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/.venv/bin:$(PATH)

UV := .venv/bin/uv
SETUP := .penstock/setup.done
TOOLS := .tools/bin/sam

.DEFAULT_GOAL := help
.PHONY: help setup demo up down test prove check generate bench deploy clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: setup ## run the example pipeline on this machine; DATA=<folder> takes its CSV files
	@penstock demo $(if $(DATA),--data "$(DATA)")

up: setup ## start Penstock Local with the application deployed, and leave it running
	@penstock up $(if $(DATA),--data "$(DATA)")

down: ## stop what `make up` started
	@penstock down

test: setup ## every test, in two processes; WORKERS=4 takes four
	@pytest -n $(or $(WORKERS),2) --dist loadgroup --no-loadscope-reorder

prove: setup ## the proofs at length: interleavings, random specifications, Spark 4
	@PENSTOCK_PROOF=500000 pytest tests/proof
	@PENSTOCK_PROOF=200 pytest tests/unit/glue/test_random_specifications.py
	@scripts/on_spark_4

check: setup ## lint, types, templates
	@scripts/check

generate: setup ## the files made from others: diagrams, bundles of the Glue jobs, the crash matrix
	@python docs/diagram.py
	@python glue/bundle.py
	@PYTHONPATH=glue python -m schema.generate
	@PENSTOCK_WRITE_PAGES=1 pytest tests/crash

bench: setup ## every benchmark; each prints its table
	@$(UV) sync --frozen --inexact --quiet --group bench
	@for each in bench/*.py; do echo "== $$each"; python "$$each" || exit 1; done

deploy: setup ## build and deploy to AWS with samconfig.toml; ENV=prod takes that section
	sam build && sam deploy $(if $(ENV),--config-env $(ENV))

setup: $(SETUP)

$(SETUP): pyproject.toml uv.lock local/penstock_local/runtimes/*.py $(TOOLS)
	@$(UV) sync --frozen --inexact --quiet
	@python -m penstock_local.runtimes
	@mkdir -p $(@D) && touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Penstock needs Python 3.11 to 3.13; PYTHON=<path> names one"; exit 1; }
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(TOOLS): | $(UV)
	@echo "Installing the SAM CLI $(SAM_VERSION) into .tools"
	@$(UV) tool install --quiet --python .venv/bin/python aws-sam-cli==$(SAM_VERSION)

clean: down ## remove what was built and installed here
	rm -rf .venv .tools .penstock .aws-sam
