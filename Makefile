# Two commands do everything: `make demo` and `make test`. Both install what is missing first, once.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
# The binary itself: its npm wrapper drops the exit status, so a contract's failing test would pass.
FORGE := node_modules/@foundry-rs/forge-*/bin/forge

.PHONY: demo test test-contracts test-python lint bench harness models setup clean
.DEFAULT_GOAL := test

demo: setup
	@$(BIN)/python -m tests.stories.demo

test: lint test-contracts test-python

# Warnings of the compiler are errors only where they are ours; the libraries' are not.
test-contracts: setup
	@$(FORGE) test

# A file a process, one thread each. Stories after them: their clocks are real, and they want the machine for themselves.
test-python: setup
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile --ignore tests/stories
	@$(BIN)/python -m pytest -q tests/stories

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy rollup executor prover api tests bench

# Honest runs against the judge's bounds, and other models' runs before the watchtower, at a size that a change can wait
# for. Fails if an honest element is judged a fault, or a lie is not caught.
harness: setup
	@$(BIN)/python -m bench soundness --elements 2e7 --seconds 100 --no-write
	@$(BIN)/python -m bench swaps --no-write

# Every lie about every kind of model, on chain. `make models MODEL=gru` tries one.
# Where the machine has other work too, threads that spin while they wait make it many times longer.
models: setup
	@OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -v -m slow --durations=0 -k "$(MODEL)" tests/stories/test_models.py

bench: setup
	@for name in judge dispute batch property_gas overhead check open; do echo "== $$name"; $(BIN)/python -m bench $$name; done

setup: build/.python build/.node

build/.python: requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "ANH needs Python 3.11 or later: '$(PYTHON)' was not found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ANH needs Python 3.11 or later: $$($(PYTHON) --version) is too old."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "ANH needs Python's venv module: install python3-venv."; exit 1; }
	@echo "Installing Python packages into .venv (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@mkdir -p build && touch $@

# Not `npm ci`: it refuses a lock that lacks the binaries of other platforms. Versions are exact, and the lock's hashes hold.
build/.node: package.json package-lock.json
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "ANH needs Node 20 or later with npm: 'node' or 'npm' was not found."; exit 1; }
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || { echo "ANH needs Node 20 or later: $$(node --version) is too old."; exit 1; }
	@echo "Installing the Ethereum tool chain into node_modules (once) ..."
	@npm install --no-save --silent --no-audit --no-fund
	@mkdir -p build && touch $@

clean:
	@rm -rf build .venv node_modules
