# Two commands do everything: `make demo` and `make test`. Both set up what they need on a fresh machine.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
COMPONENTS := .venvs/components
NODE_SERVICES := .venvs/node
PEERS := .venvs/peers

# Downloads of a fresh machine: a slow answer is asked for again.
export PIP_RETRIES ?= 10
export PIP_DEFAULT_TIMEOUT ?= 60

.DEFAULT_GOAL := help
.PHONY: help demo test test-full bench check setup-demo setup-test setup-bench programs lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ifmatch needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

# One hash puts pip into hash-checking mode, which refuses `-e .` beside it: hence two steps.
$(VENV)/.%.stamp: requirements/%.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$*.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Real services whose pins clash with ours live in an environment of their own.
$(COMPONENTS)/.stamp: requirements/components.txt
	$(PYTHON) -m venv $(COMPONENTS)
	$(COMPONENTS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/components.txt
	@touch $@

# Tools that benchmarks compare with, whose pins are old.
$(PEERS)/.stamp: requirements/peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers.txt
	@touch $@

# Without npm (or a registry) the tests that need these services are counted skips, in CI failures.
$(NODE_SERVICES)/.stamp: requirements/node.json | programs
	@mkdir -p $(NODE_SERVICES) && cp requirements/node.json $(NODE_SERVICES)/package.json
	@npm install --prefix $(NODE_SERVICES) --no-package-lock --no-audit --no-fund --fetch-retries=5 --loglevel=error >/dev/null && touch $@ || echo "not installed, tests that need it are skipped: azurite, express"

setup-demo: $(VENV)/.demo.stamp
setup-test: $(VENV)/.test.stamp $(COMPONENTS)/.stamp programs $(NODE_SERVICES)/.stamp
setup-bench: $(VENV)/.bench.stamp $(PEERS)/.stamp

programs: ## Install the real servers and the browser that tests use (Debian, apt)
	@sh tools/install_programs.sh

demo: setup-demo ## Two writers collide for real; the traffic is recorded, diagnosed and explained
	@$(BIN)/ifmatch demo --output out/demo

check: setup-test ## Linters, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports

test: check ## Everything that CI runs
	$(PYTEST) -m "not full" -n 2 --dist loadfile --durations=10

test-full: check ## All tests, without a time limit
	$(PYTEST) -n 2 --dist loadfile --durations=25 --hypothesis-profile=full --timeout=0

bench: setup-bench ## Compare with the peers; results to benchmarks/results/
	$(BIN)/python -m benchmarks

lock: ## Recompile the hashed requirement files (needs uv)
	sh tools/compile_requirements.sh

clean: ## Remove what was built
	rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
