# What a person needs, and `make gallery` and `make lock` for whoever changes pages or dependencies.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# uv lives beside the environment's packages, where `uv pip sync` does not look and removes nothing
UV_HOME := $(VENV)/uv
UV := $(UV_HOME)/bin/uv
# what runs, and the same with the development tools
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
# checks pages for accessibility in the browser tests, and is no part of the console
AXE_VERSION := 4.11.1
AXE_STAMP := build/axe/.$(AXE_VERSION)
# processes the tests are spread over, file by file; each takes up to 2 GB
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help install up fast test test-full lint bench measurements gallery lock

help:
	@echo "make install   create $(VENV) from requirements-dev.lock (a second time: instant)"
	@echo "make up        start Airflow and the console (needs requirements.lock alone); Ctrl-C stops everything"
	@echo "make fast      tests that need no browser, server or Airflow and learn no model"
	@echo "make test      all tests for a change; what this machine lacks is skipped with the reason"
	@echo "make test-full the same with the long rounds: four kills a DAG, a night of 578 images killed ten times"
	@echo "make lint      ruff, mypy, and which folder may import which"
	@echo "make bench     measure again what docs/measurements.md shows (ARGS=name: one of them)"
	@echo "make measurements   write docs/measurements.md and the README's figures from the records"
	@echo "make gallery   make the screenshots in docs/gallery again"
	@echo "make lock      resolve pyproject.toml into both locks again"

install: $(DEV_STAMP)

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(UV_HOME) uv

# bytecode is made once here rather than at the first start of each of the many processes
define sync
	$(UV) pip sync --compile-bytecode --python $(BIN)/python $(1)
	$(UV) pip install --python $(BIN)/python --no-deps --editable .
endef

# the tools go with it: whoever wants them again gets them from the next target
$(STAMP): pyproject.toml requirements.lock | $(UV)
	$(call sync,requirements.lock)
	@rm -f $(DEV_STAMP)
	@touch $@

# holds all of the other, in the same versions
$(DEV_STAMP): pyproject.toml requirements-dev.lock | $(UV)
	$(call sync,requirements-dev.lock)
	@touch $(STAMP) $@

up: $(STAMP)
	@exec $(BIN)/anomalyos up $(ARGS)

# without npm, or without its registry, there is no stamp and the accessibility tests skip
$(AXE_STAMP):
	@if command -v npm >/dev/null && npm install --silent --no-save --no-package-lock --no-audit --no-fund \
		--ignore-scripts --fetch-retries 1 --fetch-timeout 30000 --prefix build/axe axe-core@$(AXE_VERSION); \
	then touch $@; else echo "axe-core is not here: the accessibility tests will skip" >&2; fi

# what was slow, and every result, is kept under build/
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
REPORT := --durations=60 --junitxml=build/junit.xml

test: $(DEV_STAMP) $(AXE_STAMP)
	$(PYTEST) $(REPORT) $(ARGS)

test-full: $(DEV_STAMP) $(AXE_STAMP)
	$(PYTEST) $(REPORT) -m "" $(ARGS)

fast: $(DEV_STAMP)
	$(PYTEST) -m "not (full or slow or browser or airflow or postgres)" $(ARGS)

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

bench: $(DEV_STAMP)
	$(BIN)/python -m tests.benchmarks $(ARGS)

measurements: $(DEV_STAMP)
	$(BIN)/python -m tests.benchmarks.measurements

gallery: $(DEV_STAMP)
	$(BIN)/python -m tests.e2e.gallery $(ARGS)

# versions stay where they are while they fit; a lock holds no address
RESOLVE = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock: $(UV)
	$(RESOLVE) --extra platform --extra console --extra report pyproject.toml -o requirements.lock
	$(RESOLVE) --all-extras --constraint requirements.lock pyproject.toml -o requirements-dev.lock
