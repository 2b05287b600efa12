# Every target sets up what it needs: only make and Python 3.11 have to be there. `make help` lists them.

VENV := .venv
BIN := $(VENV)/bin
# Notte's own SDKs, which judge the API that we serve: agents are in the one, strict bodies in the other.
JUDGES := .venv-sdk-1.9/.made .venv-sdk-1.10/.made
# Passed on by `make test ARGS="-k restart"`, `make demo ARGS="--url http://..."`, `make bench ARGS=--short`,
# `make corpus ARGS="--only order"`, `make faults ARGS="--only kills"`.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check bench corpus foreign faults faults-full browser clean

# Root cannot have Chromium's sandbox (its user namespaces want an unprivileged user).
ifeq ($(shell id -u),0)
export NOTTE_MCP_NO_SANDBOX := 1
SANDBOX := @echo "Running as root: Chromium runs without its sandbox (NOTTE_MCP_NO_SANDBOX=1)."
endif

# What `browser` found, for everything that a recipe starts.
WITH_BROWSER = NOTTE_MCP_BROWSER=$$(cat $(VENV)/.chromium)

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: $(VENV)/.package browser ## the whole job on a small shop: an order by hand, its script, and an agent's order
	@$(WITH_BROWSER) $(BIN)/notte-mcp demo $(ARGS)

test: $(VENV)/.tools $(JUDGES) browser ## all tests, on a real Chromium
	@$(WITH_BROWSER) $(BIN)/pytest -n 3 --dist worksteal $(ARGS)

bench: $(VENV)/.tools browser ## all benchmarks, as a table
	@$(WITH_BROWSER) $(BIN)/python -m benchmarks $(ARGS)

foreign: $(VENV)/.foreign browser ## scripts exported from three sites of others, run as files: Django, Sphinx, Swagger UI
	@$(WITH_BROWSER) $(BIN)/python -m scripts.foreign $(ARGS)

corpus: $(VENV)/.tools browser ## every recorded flow: its scripts run three times, its workflow on changed pages
	@$(WITH_BROWSER) $(BIN)/python -m tests.corpus $(ARGS)

faults: $(VENV)/.tools browser ## what must hold when processes die, pages run wild and disks fill: a quarter of an hour
	@$(WITH_BROWSER) $(BIN)/python -m tests.faults $(ARGS)

faults-full: $(VENV)/.tools browser ## the same in large counts, for hours
	@$(WITH_BROWSER) $(BIN)/python -m tests.faults --full $(ARGS)

check: $(VENV)/.tools ## style, types, who imports whom, ceilings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --threads 2 --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/check_sizes.py

clean: ## remove what the other targets made
	rm -rf $(VENV) $(dir $(JUDGES)) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up ---

$(BIN)/python:
	@scripts/make_venv.sh $(VENV)

# The package alone, for who wants to use it.
$(VENV)/.package: pyproject.toml notte_mcp/__init__.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

# The package, what it is made with, and the providers' clients: tests run their real code.
$(VENV)/.tools: $(VENV)/.package
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,agents,video,api,cloud]'
	@touch $@

# What serves the sites that are not ours, and pytest with Playwright's plugin for the tests that come of them.
$(VENV)/.foreign: $(VENV)/.package
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[foreign,pytest]'
	@touch $@

.venv-sdk-1.9/.made: SDK := notte-sdk==1.9.7
.venv-sdk-1.10/.made: SDK := notte-sdk==1.10.0
$(JUDGES): | $(BIN)/python
	@scripts/make_venv.sh $(@D)
	@echo "Installing $(SDK) there: it judges the API in tests."
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check "$(SDK)"
	@touch $@

# Looked for every time, since a browser may have gone: a tenth of a second.
browser: $(VENV)/.package
	@$(BIN)/python scripts/find_chromium.py >$(VENV)/.chromium
	$(SANDBOX)
