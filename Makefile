# What a person needs, and `make gallery` and `make lock` for whoever changes pages or dependencies.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# uv lives beside the environment's packages, where `uv pip sync` does not look and removes nothing
UV_HOME := $(VENV)/uv
UV := $(UV_HOME)/bin/uv
STAMP := $(VENV)/.installed
# checks pages for accessibility in the browser tests, and is no part of the console
AXE_VERSION := 4.11.1
AXE_STAMP := build/axe/.$(AXE_VERSION)
# processes the tests are spread over, file by file; each takes up to 2 GB
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help install up test lint bench gallery lock

help:
	@echo "make install   create $(VENV) from requirements.lock (a second time: instant)"
	@echo "make up        start Airflow and the console; Ctrl-C stops everything"
	@echo "make test      all tests; what this machine lacks is skipped with the reason"
	@echo "make lint      ruff and mypy"
	@echo "make bench     measure the figures the README shows"
	@echo "make gallery   make the screenshots in docs/gallery again"
	@echo "make lock      resolve pyproject.toml into requirements.lock again"

install: $(STAMP)

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(UV_HOME) uv

# bytecode is made once here rather than at the first start of each of the many processes
$(STAMP): pyproject.toml requirements.lock | $(UV)
	$(UV) pip sync --compile-bytecode --python $(BIN)/python requirements.lock
	$(UV) pip install --python $(BIN)/python --no-deps --editable .
	@touch $@

up: $(STAMP)
	@exec $(BIN)/anomalyos up $(ARGS)

# without npm, or without its registry, there is no stamp and the accessibility tests skip
$(AXE_STAMP):
	@if command -v npm >/dev/null && npm install --silent --no-save --no-package-lock --no-audit --no-fund \
		--ignore-scripts --fetch-retries 1 --fetch-timeout 30000 --prefix build/axe axe-core@$(AXE_VERSION); \
	then touch $@; else echo "axe-core is not here: the accessibility tests will skip" >&2; fi

test: $(STAMP) $(AXE_STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks $(ARGS)

gallery: $(STAMP)
	$(BIN)/python -m tests.e2e.gallery $(ARGS)

lock: $(UV)
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --extra dev --no-emit-index-url --no-header pyproject.toml -o requirements.lock
