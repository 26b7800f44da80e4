# Two commands are enough: `make run` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SOURCES := setup.cfg pyproject.toml $(shell find chatservice twisted -type f -not -name '*.pyc' -not -name dropin.cache -not -path '*/static/app/*')

# Built where Node is, or can be had; a machine without it still has the small page.
APP := $(if $(shell command -v npm || { [ "$$(id -u)" = 0 ] && command -v apt-get; }),chatservice/static/app/assets.json)

CLIENTS := chatservice/socketio/clients

FUZZ_S ?= 60
SOAK_S ?= 1200

.PHONY: run test test-slow fuzz soak bench bench-quick check pages pictures format wheel clean clients web web-if-possible

run: web-if-possible .venv/installed  ## the chat, in the foreground; ARGS="--line none" hands options on
	@exec $(BIN)/twistd -n chat $(ARGS)

test: .venv/test-tools check web-if-possible clients  ## everything, in its short form
	@tests/install-tools
	$(BIN)/pytest -m "not slow" -n 3 --dist loadfile --no-loadscope-reorder

test-slow: .venv/test-tools  ## the full counts
	@tests/install-tools
	$(BIN)/pytest

fuzz: .venv/fuzz-tools  ## every parser under atheris, FUZZ_S seconds each (60)
	@set -e; for target in tests/fuzz/atheris_*.py; do echo "== $$target"; \
	  PYTHONPATH=.:tests $(BIN)/python $$target -max_total_time=$(FUZZ_S) -print_final_stats=1 -verbosity=0; done

soak: .venv/test-tools  ## people talk, are cut and come back, for SOAK_S seconds (1200): memory, lag, losses
	@PYTHONPATH=.:tests $(BIN)/python -m faults.soak $(SOAK_S)

bench: .venv/installed  ## the chat and its peers under load, about 30 minutes: bench/RESULTS.md
	$(BIN)/python -m bench

bench-quick: .venv/installed  ## the same in about 10 minutes
	$(BIN)/python -m bench --quick

check: .venv/test-tools  ## style, types, and that imports go down the floors only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

pages: .venv/test-tools  ## docs/configuration.md, in Chinese too, and deploy/chat.toml, from the table of options
	PYTHONPATH=. $(BIN)/python -m chatservice.config.pages docs/configuration.md deploy/chat.toml

pictures: .venv/test-tools web  ## those of the README, drawn anew from the page as it is
	PYTHONPATH=.:tests $(BIN)/python -m e2e.page.pictures

format: .venv/test-tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: .venv/test-tools web clients  ## dist/*.whl and dist/*.tar.gz
	$(BIN)/python -m build

web: $(APP)  ## the client library and the page, from web/ into chatservice/static/app/; needs Node 18 and npm
	@$(if $(APP),,echo "the page and /client.js need Node 18 and npm to be built; please install nodejs and npm" >&2; exit 1)

web-if-possible:
	@$(if $(APP),$(MAKE) -s --no-print-directory web || ,)echo "going on with the small page and without /client.js: the full page needs nodejs and npm to be built" >&2

chatservice/static/app/assets.json: $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/test/*') docs/wire/chat.v1.schema.json chatservice/__init__.py chatservice/static/seal.svg
	@web/build
	@rm -f .venv/installed  # so that it is installed with what was built

clients: $(CLIENTS)/4/LICENSE  ## the Socket.IO browser clients, where there is npm; served at /socket.io/socket.io.js

# Never fails and never comes again without reason: without npm or a network the server works, but for these files.
$(CLIENTS)/4/LICENSE: web/socketio-clients/package-lock.json
	@web/socketio-clients/build
	@if [ -e $@ ]; then touch $@; fi

clean:
	rm -rf .venv build dist *.egg-info chatservice/static/app $(CLIENTS) web/node_modules tests/js/node_modules tests/e2e/page/axe/node_modules \
	  bench/.venv bench/build bench/peers/node_modules

# Debian splits venv from python3; as root we add it, else we say so.
.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=/path/to/python3.11)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q python3-venv; } || { echo "please install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# A real install, not an editable one: the import hook of `pip install -e` hides `twistd chat` from Twisted.
.venv/installed: .venv/python $(SOURCES) | web-if-possible clients
	$(BIN)/pip install -q --disable-pip-version-check .
	@touch $@

.venv/test-tools: .venv/python setup.cfg
	$(BIN)/pip install -q --disable-pip-version-check '.[test,check]'
	@touch $@

.venv/fuzz-tools: .venv/test-tools
	$(BIN)/pip install -q --disable-pip-version-check '.[fuzz]'
	@touch $@
