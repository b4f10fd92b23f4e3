# `make run` starts everything on this machine; `make test` checks everything. Both install what they need into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
VALIDATOR := tests/contract/asyncapi
PACKAGES := deploy services shared
# The first Python that is new enough; PYTHON=… names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --quiet

.PHONY: help run test check unit soak prove bench down lock clean

help: ## what there is
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/installed ## start Kafka, PostgreSQL, the services; replay the year 2020; Ctrl-C stops
	@exec $(BIN)/motcua up

down: $(VENV)/installed ## stop a stack that runs in the background
	@$(BIN)/motcua down

test: check $(VALIDATOR)/node_modules/.installed ## every check and every test, against real Kafka and PostgreSQL
	$(BIN)/pytest --ignore=tests/soak --ignore=tests/benchmarks

check: $(VENV)/installed-dev ## rules, format, types, import directions, dependencies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(PACKAGES) tests
	$(BIN)/lint-imports
	$(BIN)/deptry .

unit: $(VENV)/installed-dev ## the quick tests only
	$(BIN)/pytest tests/unit tests/contract

soak: $(VENV)/installed-dev ## 40 seeded chaos runs, about 35 minutes; a table in build/
	$(BIN)/pytest -s --no-header --durations=0 --durations-min=60 tests/soak

prove: $(VENV)/installed-dev ## switch off each protection in a copy and show which test goes red
	$(BIN)/python -m tests.prove.prove $(ARGS)

bench: $(VENV)/installed-bench ## how close to hand-written code: a table, and figures.json in .motcua/bench
	$(BIN)/motcua bench --save .motcua/bench/figures.json

lock: ## pin the newest versions again, with hashes
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --extra dev -o requirements-dev.lock
	$(COMPILE) pyproject.toml --extra bench -c requirements.lock -o requirements-bench.lock
	echo 'setuptools>=77' | $(COMPILE) - -o requirements-build.lock

clean: ## remove what was installed and built; the stack's content stays
	rm -rf $(VENV) build *.egg-info $(VALIDATOR)/node_modules

# One lock for running, a larger one for testing; both stamps say that the project itself is installed, too.
$(VENV)/installed: requirements.lock requirements-build.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements.lock)

$(VENV)/installed-dev: requirements-dev.lock requirements-build.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements-dev.lock)

$(VENV)/installed-bench: requirements-bench.lock requirements-build.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements-bench.lock)

define install
	@echo "installing from $(1)"
	@pip="$(BIN)/python -m pip"; \
	if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then pip="uv pip"; export VIRTUAL_ENV=$(CURDIR)/$(VENV); fi; \
	$$pip install --quiet --require-hashes --no-deps -r requirements-build.lock -r $(1); \
	$$pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
endef

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is not installed (Debian: apt-get install python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make environments (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VALIDATOR)/node_modules/.installed: $(VALIDATOR)/package-lock.json
	@command -v npm >/dev/null || { echo "npm is not installed (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	cd $(VALIDATOR) && npm ci --no-audit --no-fund --silent
	@touch $@
