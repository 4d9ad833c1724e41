# One door for every command. Each target sets up what it needs; nothing is installed globally.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
.PHONY: all setup demo test check check-infra fmt golden bench lock clean

VENV := .venv
BIN := $(VENV)/bin
AZ := .venv-az
AZ_VERSION := 2.91.0
# The interpreter .python-version names: pyenv's if there is a pyenv, else whatever is on PATH.
PYTHON ?= $(shell PYENV_VERSION= pyenv prefix $$(cat .python-version) 2>/dev/null | sed 's|$$|/bin/python|' | grep . || command -v python3.13 || echo python3)

all: check test ## what CI runs

setup: $(VENV)/.ready ## make the virtual environment

$(VENV)/.ready: requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 13))' || \
		{ echo "Python 3.13 is needed (.python-version); $(PYTHON) is older"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

demo: setup ## the main job end to end, on this machine, without a cloud
	@$(BIN)/python -m reconciler.local.demo

test: setup $(AZ)/.ready node_modules/.ready ## every test, with the coverage gate
	@rm -f .coverage .coverage.*
	@RECONCILER_AZ="$${RECONCILER_AZ:-$$PWD/$(AZ)/bin/az}" \
		$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term:skip-covered

# The Azure CLI is a client in the tests; its dependencies are its own.
$(AZ)/.ready: | setup
	@test -x $(AZ)/bin/python || $(PYTHON) -m venv $(AZ)
	@$(BIN)/uv pip install --quiet --python $(AZ)/bin/python azure-cli==$(AZ_VERSION)
	@touch $@

# Blob and Queue storage for the tests. Without npm those that need it are skipped, and say so.
node_modules/.ready: package.json package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --ignore-scripts && touch $@; \
	else echo "npm is not on PATH: the tests of state in Blob storage will be skipped"; fi

check: setup ## format, lint, types, import contracts
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache | tail -n 8
	@$(MAKE) --no-print-directory check-infra

# Formatted, if Terraform or OpenTofu is here; readable in any case.
check-infra:
	@if tool=$$(command -v terraform || command -v tofu); then \
		TF_CLI_CONFIG_FILE= $$tool fmt -check -recursive infra tests/infra; \
	else echo "terraform and tofu are not on PATH: the format of infra/ is not checked"; fi
	@$(BIN)/hcl2tojson --quiet --ndjson infra > /dev/null

fmt: setup ## put everything into shape
	@$(BIN)/ruff check --fix --quiet .; $(BIN)/ruff format --quiet .
	@tool=$$(command -v terraform || command -v tofu) && $$tool fmt -recursive infra tests/infra > /dev/null; true

golden: setup ## write the golden outputs anew; the review is the diff
	@GOLDEN=1 $(BIN)/python -m pytest -q tests/core/test_render.py

bench: setup ## measure: a table, and bench/results.json
	@$(BIN)/python -m bench

lock: setup ## pin the newest versions
	@$(BIN)/uv pip compile -q --upgrade --no-emit-index-url --no-header --universal \
		--python-version 3.13 requirements.in -o requirements.txt
	@$(BIN)/uv pip compile -q --upgrade --no-emit-index-url --no-header --universal \
		--python-version 3.13 requirements-dev.in -o requirements-dev.txt

clean:
	@rm -rf $(VENV) $(AZ) node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* .reconciler
