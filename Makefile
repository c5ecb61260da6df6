# Every target does its own set-up; on a fresh machine Python 3.11+, git and make are enough. Nothing is installed globally.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run-ready
DEV := $(VENV)/.dev-ready

.PHONY: help run demo test lint bench chaos docs lock clean

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /	/' | expand -t 10

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Vigie needs Python 3.11 or newer (set PYTHON=/path/to/python3.11)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "python3 -m venv failed; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(RUN): requirements.lock pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(RUN)

run: $(RUN) ## watch https://ollama.com/ (or what vigie.yaml and .env say) until Ctrl-C; status page on 127.0.0.1:8080
	@$(BIN)/vigie serve

demo: $(RUN) ## an incident from end to end, within a minute, on this machine alone
	@$(BIN)/vigie demo

test: $(DEV) ## the whole suite; real fleets are started and broken at its end, when nothing else is running
	@$(BIN)/python -m pytest -q -n auto -m "not chaos"
	@$(BIN)/python -m pytest -q -m chaos tests/chaos tests/deploy

lint: $(DEV) ## style, types, contracts on imports and purity, generated documents, links, words, sizes, what is in deploy/
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.contracts
	@$(BIN)/python -m tools.reference --check
	@$(BIN)/python -m tools.state_diagram --check
	@$(BIN)/python -m tools.links
	@$(BIN)/python -m tools.sleeps
	@$(BIN)/python -m tools.patterns
	@$(BIN)/python -m tools.words
	@$(BIN)/python -m tools.sizes
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml deploy/fleet/compose.yaml
	@$(BIN)/kubernetes-validate --quiet --strict deploy/kubernetes/*.yaml deploy/kubernetes/secret.yaml.example

bench: $(DEV) ## speed and size against blackbox_exporter and libcurl, as ratios in one run
	@$(BIN)/python -m bench

MINUTES ?= 30
SEED ?= $(shell date +%s)
FORM ?= fleet
chaos: $(DEV) ## break the parts of a real fleet in turn, for MINUTES=30, and judge what it recorded; SEED=… replays
	@$(BIN)/python -m tests.chaos --form $(FORM) --minutes $(MINUTES) --seed $(SEED)

docs: $(DEV) ## write the generated documents anew
	@$(BIN)/python -m tools.reference
	@$(BIN)/python -m tools.state_diagram

lock: $(DEV) ## pin every dependency anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --group build pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --group build --group dev --extra all pyproject.toml -o requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --group build --extra dns --extra grpc --extra otel --extra apprise --extra postgres --extra nats --constraint requirements-dev.lock pyproject.toml -o requirements-image.lock

clean: ## remove what the targets made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
