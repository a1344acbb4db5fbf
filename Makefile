# Every chore, runnable on a bare machine with Python 3.11+ and venv; uv is used where it is.
# `make run` starts the service, `make demo` shows it in a minute, `make test` runs every test.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help run demo test check bench chaos soak soak-sockets picture lock clean

help:            ## what there is
	@grep -hE '^[a-z-]+: .*##|^[a-z-]+:  +##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/run.stamp      ## start the service with the configuration in ./desk (made on the first run)
	@test -d desk || $(BIN)/wirewatch init desk
	@$(BIN)/wirewatch --config desk run

demo: $(VENV)/run.stamp     ## a sample day of news in a minute, without a network
	@$(BIN)/wirewatch demo

test: $(VENV)/dev.stamp     ## every test
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto $(ARGS)

check: $(VENV)/dev.stamp    ## format, lint, types, layers, wheel contents, service and container files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tests/wheel.py
	$(BIN)/hadolint deploy/Dockerfile
	@if command -v systemd-analyze >/dev/null; then sh deploy/lint-unit; \
	else echo "systemd-analyze is not here: the unit is not linted"; test -z "$$CI"; fi

bench: $(VENV)/bench.stamp  ## every figure of docs/figures.md (real material: WIREWATCH_CORPORA)
	$(BIN)/python -m benchmarks

SEED  ?= 1
PARTS ?= 1
chaos: $(VENV)/dev.stamp    ## kill the service 2,900 times, PARTS=1 times 20 minutes; goes on where it ended
	$(BIN)/python -m tests.rig.chaos --seed $(SEED) --parts $(PARTS) $(ARGS)

soak: $(VENV)/dev.stamp     ## a week of 200 sources, faults and kills in simulated time, PARTS=1 times 20 minutes
	$(BIN)/python -m tests.rig.soak --seed $(SEED) --parts $(PARTS) $(ARGS)

soak-sockets: $(VENV)/dev.stamp  ## half an hour of the same on real sockets
	$(BIN)/python -m tests.rig.sockets --seed $(SEED) $(ARGS)

picture: $(VENV)/dev.stamp  ## take docs/page.png, the README's picture, from the demo (needs Chromium)
	@$(BIN)/python docs/picture.py

# Set-up: one virtual environment, exact versions with hashes.
$(VENV)/bin/python:
ifdef UV
	uv venv --quiet --python "$(PYTHON)" $(VENV)
else
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "wirewatch needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
endif

ifdef UV
INSTALL := uv pip install --quiet --compile-bytecode --python $(VENV)/bin/python
else
INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
endif

$(VENV)/run.stamp: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes --requirement requirements.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	$(INSTALL) --require-hashes --requirement requirements-dev.txt
	@touch $@

$(VENV)/bench.stamp: requirements-bench.txt $(VENV)/dev.stamp
	$(INSTALL) --require-hashes --requirement requirements-bench.txt
	@touch $@

lock:            ## write the pinned requirements anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --group build -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements.txt --group dev -o requirements-dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements.txt -c requirements-dev.txt --group bench -o requirements-bench.txt

clean:           ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
