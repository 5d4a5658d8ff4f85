# Everything a developer types. Each target does its own set-up; repeating it costs a second.
PYTHON ?= python3
ARGS ?=
# Tests wait more than they compute: three workers on two cores, a file on one worker, whole hubs
# first (tests/conftest.py).
WORKERS ?= --numprocesses 3 --dist loadfile --no-loadscope-reorder

VENV := .venv
BIN := $(VENV)/bin
PINS := requirements.txt requirements-dev.txt

.PHONY: help setup demo test test-fast check bench schemas screenshots pins clean

help:
	@echo "make setup      virtual environment, pinned packages, the page"
	@echo "make demo       a simulated neighbourhood, live   ARGS=\"--homes 50 --no-browser\""
	@echo "make test       every test                        ARGS=\"tests/unit -k press\""
	@echo "make test-fast  without the marks e2e and slow"
	@echo "make check      style, types, import rules, generated files"
	@echo "make bench      the benchmarks behind the README's figures"
	@echo "make schemas    write the generated JSON Schema and AsyncAPI files"
	@echo "make screenshots  the pictures in docs/, from a real browser"
	@echo "make pins       resolve pyproject.toml into requirements*.txt (needs uv)"
	@echo "make clean      remove the virtual environment and everything built"

setup: $(VENV)/.packages $(VENV)/.carebell
	@$(BIN)/python hatch_build.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Carebell needs Python 3.11 or newer: make setup PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.packages: $(PINS) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PINS:%=-r %)
	@touch $@

$(VENV)/.carebell: pyproject.toml $(VENV)/.packages
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	@$(BIN)/carebell demo $(ARGS)

test: setup
	@tests/ensure_system_packages.sh
	@$(BIN)/python -m tests.timescale.server
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

test-fast: setup
	$(BIN)/python -m pytest -m "not e2e and not slow" $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.generate --check
	$(BIN)/python -m alerts.diagram --check
	$(BIN)/python -m hub.figures.pages --check
	$(BIN)/python -m hub.api.roles_page --check
	$(BIN)/python -m hub.api.openapi_page --check
	$(BIN)/python -m tests.house
	$(BIN)/python hatch_build.py --types

bench: setup
	$(BIN)/python -m benchmarks.kill
	$(BIN)/python -m benchmarks.frozen_database
	$(BIN)/python -m benchmarks.latency

schemas: setup
	$(BIN)/python -m schemas.generate

screenshots: setup
	@tests/ensure_system_packages.sh
	$(BIN)/python -m tests.e2e.pictures docs/screenshots

pins:
	uv pip compile pyproject.toml --universal --python-version 3.11 --no-annotate --no-header \
	  --quiet --upgrade --output-file requirements.txt
	uv pip compile --group dev --constraint requirements.txt --universal --python-version 3.11 \
	  --no-annotate --no-header --quiet --upgrade --output-file requirements-dev.txt

clean:
	rm -rf $(VENV) build dist hub/web/dist hub/web/node_modules \
	  .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
