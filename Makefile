# `make demo` and `make test` set up all that they need from the lock; the second time they start at once.

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 2>/dev/null))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-from-lock
DULY := $(BIN)/duly

# Options of the program behind a target, as in `make demo ARGS="--faults 0.1 --accounts 300"`.
ARGS ?=

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

# A run of the tests starts some hundred processes: each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

# What runs in production.
PRODUCT := activities commands migrations models settings telemetry web workflows console.py portal.py starter.py webhook.py worker.py

.DEFAULT_GOAL := help
.PHONY: help setup demo test nightly up check static compiled audit sbom format contract bench migrate release release-check lock assets clean

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DULY) ## Install the locked packages and the command `duly` into .venv

demo: $(DULY) ## Bill and collect a month of payments on an embedded stack
	$(DULY) demo $(ARGS)

test: $(DULY) ## Run the tests
	$(BIN)/pytest -n 4 --dist loadfile $(ARGS)

nightly: $(DULY) ## Run the cases that the gate leaves out
	$(BIN)/pytest -m nightly -n 4 --dist loadfile --ignore tests/mutants $(ARGS)
	@# One file that starts no servers of its own: handed out test by test, or one process would do it all.
	$(BIN)/pytest -m nightly -n 4 --dist load tests/mutants
	$(BIN)/python -m bench chaos --no-keep

up: $(DULY) ## Run the embedded stack and a worker until Ctrl-C; data stays in .duly/
	$(BIN)/python -m sandbox.up $(ARGS)

check: $(DULY) ## Check format, lint, spelling, security and types, then run the tests: what CI runs
	$(MAKE) --no-print-directory --jobs=2 static compiled
	$(BIN)/pytest -n 4 --dist loadfile $(ARGS)

static: $(DULY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	git ls-files -z | xargs -0 $(BIN)/codespell
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(PRODUCT)
	$(BIN)/mypy

# Each of the tests' processes would compile all modules by itself. What is wrong with one is told when they run.
compiled: $(DULY)
	@$(BIN)/pytest --collect-only -q >/dev/null 2>&1 || true

audit: $(DULY) ## Ask the advisory database about the locked packages (needs the network)
	$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements.lock $(ARGS)

sbom: $(DULY) ## Write sbom.json: every installed package with version and licence (CycloneDX)
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file sbom.json $(ARGS) $(VENV)

format: $(DULY) ## Format the code and apply the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

contract: $(DULY) ## Ask Stripe's test mode what the sandbox is asked, with STRIPE_TEST_KEY, and report differences
	$(BIN)/python -m sandbox.stripe.contract $(ARGS)

bench: $(DULY) ## Measure throughput, cost and memory
	$(BIN)/python -m bench $(ARGS)

migrate: $(DULY) ## Bring the database of DULY_MIGRATION_DATABASE_URL to the newest schema
	$(DULY) migrate

release: $(DULY) ## Freeze the revisions of this version and keep it for the tests of later ones
	$(BIN)/python -m tests.upgrades.keep

release-check: $(DULY) ## Say what keeps this tree from being released: versions, changelog, frozen revisions, kept files
	$(BIN)/python -m tests.upgrades.release_check

lock: $(DULY) ## Write the lock files anew after a change of pyproject.toml (ARGS=--upgrade moves the versions)
	$(COMPILE) --all-extras --output-file=requirements.lock $(ARGS) pyproject.toml
	$(COMPILE) --constraint=requirements.lock --output-file=requirements-runtime.lock $(ARGS) pyproject.toml

assets: $(DULY) ## Fetch what web/assets.toml names from npm packages, verify it and copy it (needs npm and the network)
	$(BIN)/python -m sandbox.npm_assets

clean: ## Remove .venv and the caches; .duly/ holds your data and stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || { \
		echo "Duly needs Python 3.11, 3.12 or 3.13; found: $(or $(PYTHON),none)."; \
		echo "Install one, or name it: make setup PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make virtual environments: a package of the system is missing. Install it:"; \
		"$(PYTHON)" -c 'import sys; print("    apt-get install python%d.%d-venv" % sys.version_info[:2])'; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	@# uv installs the lock in a tenth of pip's time. It does not read pip's settings: where they name an index, pip does it.
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	$(PIP_INSTALL) --require-hashes -r $(VENV)/uv.lock
	{ ! $(BIN)/python -m pip config list | grep -q '\.index-' && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock; } || \
		$(PIP_INSTALL) --require-hashes -r requirements.lock
	@touch $@

# The command runs the code of this folder: what setuptools installs is its entry point, built with what the lock has.
$(DULY): $(STAMP) pyproject.toml
	$(PIP_INSTALL) --no-deps --no-index --no-build-isolation --editable .
	@touch $@
