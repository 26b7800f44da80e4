# Two commands are enough: `make run` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SOURCES := setup.cfg pyproject.toml $(shell find chatservice twisted -type f -not -name '*.pyc' -not -name dropin.cache)

CLIENTS := chatservice/socketio/clients

.PHONY: run test test-slow check format wheel clean clients

run: .venv/installed  ## the chat, in the foreground; ARGS="--line none" hands options on
	@exec $(BIN)/twistd -n chat $(ARGS)

test: .venv/test-tools clients check  ## everything, in its short form
	@tests/install-tools
	$(BIN)/pytest -m "not slow"

test-slow: .venv/test-tools  ## the full counts
	@tests/install-tools
	$(BIN)/pytest

check: .venv/test-tools  ## style, types, and that imports go down the floors only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: .venv/test-tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: .venv/test-tools clients  ## dist/*.whl and dist/*.tar.gz
	$(BIN)/python -m build

clients: $(CLIENTS)/4/LICENSE  ## the Socket.IO browser clients, where there is npm; served at /socket.io/socket.io.js

# Never fails and never comes again without reason: without npm or a network the server works, but for these files.
$(CLIENTS)/4/LICENSE: web/socketio-clients/package-lock.json
	@web/socketio-clients/build
	@if [ -e $@ ]; then touch $@; fi

clean:
	rm -rf .venv build dist *.egg-info $(CLIENTS) tests/js/node_modules

# Debian splits venv from python3; as root we add it, else we say so.
.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=/path/to/python3.11)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q python3-venv; } || { echo "please install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# A real install, not an editable one: the import hook of `pip install -e` hides `twistd chat` from Twisted.
.venv/installed: .venv/python $(SOURCES) | clients
	$(BIN)/pip install -q --disable-pip-version-check .
	@touch $@

.venv/test-tools: .venv/python setup.cfg
	$(BIN)/pip install -q --disable-pip-version-check '.[test,check]'
	@touch $@
