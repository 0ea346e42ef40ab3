# Every verb of this repository; each prints what it does and can be run alone, in any order, again and again.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-all latest lock docs lint format data seed environment bench clean

PYTHON ?= python3
SPEC := specs/clv.yaml
VENV := .venv
SFML := $(VENV)/bin/sfml

help: ## Show the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

environment: $(VENV)/.installed ## Make .venv from the lock: everything that the demo and the tests need

$(VENV)/.installed: requirements/dev.txt pyproject.toml tools/environment
	@PYTHON=$(PYTHON) tools/environment $(VENV)

lock: $(VENV)/.installed ## Renew the lock to the newest that the ranges admit
	@tools/lock

data: $(VENV)/.installed ## Fetch the CDNOW transactions into data/
	@$(VENV)/bin/python tools/fetch_cdnow.py

seed: data ## Load the seeds into the local Snowflake
	@echo "==> loading the seed table"
	@$(SFML) seed $(SPEC) -t local

demo: data ## Compile, apply and run the CLV pipeline on the local Snowflake
	@echo "==> loading the seed table into the local Snowflake (.sfml/local)"
	@$(SFML) seed $(SPEC) -t local
	@echo "==> checking the spec"
	@$(SFML) validate $(SPEC) -t local
	@echo "==> sfml apply $(SPEC) -t local --run --auto-approve"
	@$(SFML) apply $(SPEC) -t local --run --auto-approve

# Files stay whole for the servers that their tests share, in the order of tests/conftest.py; a worker that dies, or
# a test that takes five minutes, fails the run.
WORKERS := --numprocesses auto --dist loadfile --no-loadscope-reorder --max-worker-restart 0 --durations 20 \
	-o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true

test: $(VENV)/.installed data ## Run every test
	@echo "==> running the tests"
	@$(VENV)/bin/python -m pytest $(WORKERS)

.PHONY: test-deep
test-deep: export SFML_TEST_PROFILE = deep
test-deep: test ## Run every test, properties on ten times as many examples

.PHONY: coverage
coverage: $(VENV)/.installed data ## Measure the lines and branches that the tests run; writes build/coverage
	@tools/coverage

test-all: data ## Run every test on each Python from 3.11 to 3.14 that this machine has
	@tools/test-all

latest: data ## Run every test on the newest packages that the ranges admit, in .venv-latest
	@tools/latest

docs: $(VENV)/.installed ## Write the pages that are made from schemas and docstrings
	@$(VENV)/bin/python tools/docs.py

lint: $(VENV)/.installed ## Check style and types, and look for dead code
	@echo "==> ruff, mypy and vulture"
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy compiler emulator steps tests/typing
	@$(VENV)/bin/python tools/dead_code.py

format: $(VENV)/.installed ## Format the code
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: $(VENV)/.installed ## Measure commands and tasks; write docs/performance.md
	@echo "==> measuring whole processes; takes about fourteen minutes"
	@$(VENV)/bin/python benchmarks --write

clean: ## Remove the environment and everything that was built
	@rm -rf $(VENV) .venv-* build .sfml .pytest_cache .mypy_cache .ruff_cache .hypothesis
