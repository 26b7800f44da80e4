# Two commands are enough: `make run` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SOURCES := setup.cfg pyproject.toml $(shell find chatservice twisted -type f -not -name '*.pyc' -not -name dropin.cache -not -path '*/static/app/*')

# Built where Node is, or can be had; a machine without it still has the small page.
APP := $(if $(shell command -v npm || { [ "$$(id -u)" = 0 ] && command -v apt-get; }),chatservice/static/app/assets.json)

.PHONY: run test test-slow check format wheel clean web web-if-possible

run: web-if-possible .venv/installed  ## the chat, in the foreground; ARGS="--line none" hands options on
	@exec $(BIN)/twistd -n chat $(ARGS)

test: .venv/test-tools check web-if-possible  ## everything, in its short form
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

wheel: .venv/test-tools web  ## dist/*.whl and dist/*.tar.gz
	$(BIN)/python -m build

web: $(APP)  ## the client library and the page, from web/ into chatservice/static/app/; needs Node 18 and npm
	@$(if $(APP),,echo "the page and /client.js need Node 18 and npm to be built; please install nodejs and npm" >&2; exit 1)

web-if-possible:
	@$(if $(APP),$(MAKE) -s --no-print-directory web || ,)echo "going on with the small page and without /client.js: the full page needs nodejs and npm to be built" >&2

chatservice/static/app/assets.json: $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/test/*') docs/wire/chat.v1.schema.json chatservice/__init__.py chatservice/static/seal.svg
	@web/build
	@rm -f .venv/installed  # so that it is installed with what was built

clean:
	rm -rf .venv build dist *.egg-info chatservice/static/app web/node_modules

# Debian splits venv from python3; as root we add it, else we say so.
.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=/path/to/python3.11)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q python3-venv; } || { echo "please install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# A real install, not an editable one: the import hook of `pip install -e` hides `twistd chat` from Twisted.
.venv/installed: .venv/python $(SOURCES) | web-if-possible
	$(BIN)/pip install -q --disable-pip-version-check .
	@touch $@

.venv/test-tools: .venv/python setup.cfg
	$(BIN)/pip install -q --disable-pip-version-check '.[test,check]'
	@touch $@
