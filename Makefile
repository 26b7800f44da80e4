# Two commands are enough: `make run` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SOURCES := setup.cfg pyproject.toml $(shell find chatservice twisted -type f -not -name '*.pyc' -not -name dropin.cache)

.PHONY: run test test-slow bench bench-quick check format wheel clean

run: .venv/installed  ## the chat, in the foreground; ARGS="--line none" hands options on
	@exec $(BIN)/twistd -n chat $(ARGS)

test: .venv/test-tools check  ## everything, in its short form
	@tests/install-tools
	$(BIN)/pytest -m "not slow"

test-slow: .venv/test-tools  ## the full counts
	@tests/install-tools
	$(BIN)/pytest

bench: .venv/installed  ## the chat and its peers under load, about 30 minutes: bench/RESULTS.md
	$(BIN)/python -m bench

bench-quick: .venv/installed  ## the same in about 10 minutes
	$(BIN)/python -m bench --quick

check: .venv/test-tools  ## style, types, and that imports go down the floors only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: .venv/test-tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: .venv/test-tools  ## dist/*.whl and dist/*.tar.gz
	$(BIN)/python -m build

clean:
	rm -rf .venv build dist *.egg-info bench/.venv bench/build bench/peers/node_modules

# Debian splits venv from python3; as root we add it, else we say so.
.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=/path/to/python3.11)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q python3-venv; } || { echo "please install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# A real install, not an editable one: the import hook of `pip install -e` hides `twistd chat` from Twisted.
.venv/installed: .venv/python $(SOURCES)
	$(BIN)/pip install -q --disable-pip-version-check .
	@touch $@

.venv/test-tools: .venv/python setup.cfg
	$(BIN)/pip install -q --disable-pip-version-check '.[test,check]'
	@touch $@
