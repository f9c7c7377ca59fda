# Each file under .evenkeel/done says that a step of set-up was done for what it depends on, so nothing is done twice.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PYTHON := $(VENV)/bin/python
BENCH_VENV := .evenkeel/bench-venv
SLITHER_VENV := .evenkeel/slither-venv
FORGE := $(VENV)/bin/forge
DONE := .evenkeel/done
CONTRACTS := $(shell find contracts -name '*.sol')
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# A pytest that was asked for nothing uses both cores.
WORKERS ?= 2

.PHONY: help setup build demo test test-quick fuzz bench slither console sandbox lint types bindings lock clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

$(DONE)/python: scripts/setup/requirements.txt pyproject.toml
	@command -v python3 >/dev/null || { echo "set-up needs Python 3.11 or newer"; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "set-up needs Python 3.11 or newer"; exit 1; }
	@echo "set-up: Python packages into $(VENV)"
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r scripts/setup/requirements.txt 2> >(grep -v ' is ignored: ' >&2)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 2> >(grep -v ' is ignored: ' >&2)
	@mkdir -p $(DONE) && touch $@

$(DONE)/node: package.json package-lock.json
	@command -v node >/dev/null || { echo "set-up needs Node 20 or newer"; exit 1; }
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || { echo "set-up needs Node 20 or newer"; exit 1; }
	@echo "set-up: compiler, node and contract libraries into node_modules"
	@npm ci --silent --no-fund --no-audit
	@mkdir -p $(DONE) && touch $@

# With the environment active, `forge`, `anvil` and `brownie` are all on PATH.
$(DONE)/tools: $(DONE)/python $(DONE)/node
	@for tool in forge anvil; do ln -sfn ../../node_modules/@foundry-rs/$$tool-linux-amd64/bin/$$tool $(VENV)/bin/$$tool; done
	@touch $@

$(DONE)/packages: $(DONE)/python $(DONE)/node python_pkg/evenkeel/sandbox/packages.py $(wildcard python_pkg/evenkeel/sandbox/*.json)
	@echo "set-up: the real protocols' packages into .evenkeel/packages"
	@$(PYTHON) -c 'from evenkeel.sandbox.packages import main; main()'
	@touch $@

$(DONE)/contracts: $(DONE)/packages $(DONE)/tools foundry.toml $(CONTRACTS)
	@echo "set-up: compiling the contracts"
	@$(FORGE) build --quiet --skip test
	@$(PYTHON) scripts/setup/stale_build.py
	@$(VENV)/bin/evenkeel bindings generate --external
	@touch $@

$(DONE)/brownie: $(DONE)/python $(DONE)/node scripts/setup/brownie_home.py
	@$(PYTHON) scripts/setup/brownie_home.py install
	@touch $@

setup: $(DONE)/contracts $(DONE)/tools $(DONE)/brownie ## install and compile everything; the other targets do it by themselves

build: $(DONE)/contracts ## compile the contracts and generate the third parties' bindings

demo: setup ## the whole story: a keeper holds a vault level through a crash (ARGS="--keep" and the like)
	@$(VENV)/bin/evenkeel demo $(ARGS)

test: setup $(DONE)/slither ## every test, and Slither
	@$(FORGE) test
	@$(FORGE) snapshot --check tests/forge/.gas-snapshot --isolate --match-contract VaultGasTest
	@$(SLITHER_VENV)/bin/python tests/static/run.py
	@$(VENV)/bin/pytest -q -n $(WORKERS) --dist loadfile tests $(ARGS)

test-quick: setup ## what needs no chain
	@$(VENV)/bin/pytest -q tests/unit tests/property $(ARGS)

fuzz: setup ## the same properties with many more cases
	@FOUNDRY_FUZZ_RUNS=20000 FOUNDRY_INVARIANT_RUNS=256 FOUNDRY_INVARIANT_DEPTH=256 $(FORGE) test
	@EVENKEEL_EXAMPLES=2000 $(VENV)/bin/pytest -q tests/property tests/integration/test_vault_machine.py tests/integration/test_thief_campaign.py $(ARGS)

# Other libraries have an environment of their own, so that the package never meets them.
$(DONE)/bench: tests/benchmarks/requirements.txt
	@command -v python3 >/dev/null || { echo "the benchmark needs Python 3.11 or newer"; exit 1; }
	@echo "set-up: the benchmark's packages into $(BENCH_VENV)"
	@test -x $(BENCH_VENV)/bin/python || python3 -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r tests/benchmarks/requirements.txt 2> >(grep -v ' is ignored: ' >&2)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 2> >(grep -v ' is ignored: ' >&2)
	@mkdir -p $(DONE) && touch $@

bench: $(DONE)/bench ## how fast and how exact pricing is beside other libraries (ARGS=--quick for 20 s)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BENCH_VENV)/bin/python tests/benchmarks/run.py $(ARGS)

$(DONE)/slither: tests/static/requirements.txt
	@command -v python3 >/dev/null || { echo "slither needs Python 3.11 or newer"; exit 1; }
	@echo "set-up: slither into $(SLITHER_VENV)"
	@test -x $(SLITHER_VENV)/bin/python || python3 -m venv $(SLITHER_VENV)
	@$(SLITHER_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r tests/static/requirements.txt 2> >(grep -v ' is ignored: ' >&2)
	@mkdir -p $(DONE) && touch $@

slither: setup $(DONE)/slither ## what slither finds in the contracts, each finding answered in tests/static/answers.toml
	@$(SLITHER_VENV)/bin/python tests/static/run.py

console: setup ## a Brownie console on a sandbox with a vault in it
	@$(PYTHON) -m evenkeel.console $(ARGS)

sandbox: setup ## a local chain with the real protocols on it, until Ctrl-C
	@$(VENV)/bin/evenkeel sandbox up $(ARGS)

lint: $(DONE)/python ## ruff: lint and format
	@$(VENV)/bin/ruff check python_pkg scripts tests examples
	@$(VENV)/bin/ruff format --check python_pkg scripts tests examples

types: $(DONE)/contracts ## mypy --strict over the package
	@$(VENV)/bin/mypy

bindings: $(DONE)/contracts ## regenerate the checked-in wrappers of our contracts
	@$(VENV)/bin/evenkeel bindings generate

lock: $(DONE)/python ## pin the Python packages anew (needs uv)
	@uv pip compile pyproject.toml --extra brownie --extra dev --extra fast --generate-hashes --no-header --no-annotate --python-version 3.11 --quiet --output-file scripts/setup/requirements.txt

clean: ## remove what set-up made here and in Brownie's home folder
	@if [ -x $(PYTHON) ]; then $(VENV)/bin/evenkeel sandbox down >/dev/null 2>&1 || true; $(PYTHON) scripts/setup/brownie_home.py remove; fi
	@rm -rf $(VENV) node_modules .evenkeel out build reports .pytest_cache .mypy_cache .ruff_cache .hypothesis
