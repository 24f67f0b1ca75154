# Everything a person does with Passage on one machine; `make` lists the targets.
# Needs Linux, Python 3.11 or newer and make. One .venv serves running and testing: a second would
# take as long again to install and could differ from what was tested.

PYTHON ?= python3
# Whatever the shell says: else each process that a test starts compiles the sources anew.
export PYTHONDONTWRITEBYTECODE =
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
ARGS ?=
SPEED ?= 0
ENROL ?= --enrol

.DEFAULT_GOAL := help
.PHONY: help run demo quick test check browser docs bench requirements sbom clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: $(READY) ## Start everything here, for demo and training, and print the addresses; ARGS go to `passage up`
	@$(BIN)/passage up $(ENROL) $(ARGS)

demo: $(READY) ## Play an invented day on the running system, SPEED times as fast; ARGS go to `passage demo`
	@$(BIN)/passage demo --speed $(SPEED) $(ARGS)

quick: $(READY) ## The plain tests, which start nothing, for the inner loop; ARGS go to pytest
	@$(BIN)/pytest -m "not (process or wire or journey or wide or browser)" -n 2 --dist loadfile \
	  $(addprefix --ignore=tests/,browser canaries casework journey) $(ARGS)

# The journeys mostly wait, for processes to start and end; the other tests run beside them.
test: check ## Lint, types, import rules and every test; ARGS go to pytest
ifneq ($(ARGS),)
	@$(BIN)/pytest $(ARGS)
else
	@journeys=$$(mktemp); $(BIN)/pytest -m journey >$$journeys 2>&1 & journey=$$!; \
	$(BIN)/pytest -m "not journey" -n 2 --dist loadfile; others=$$?; \
	wait $$journey; journey=$$?; cat $$journeys; rm -f $$journeys; \
	exit $$((others > journey ? others : journey))
endif

browser: ## Install Debian's chromium, in which pages are tested; where there is one, nothing
	@command -v chromium >/dev/null || { \
	  as=; [ "$$(id -u)" = 0 ] || as=sudo; \
	  $$as apt-get update --quiet && $$as apt-get install --yes --no-install-recommends chromium; }

check: $(READY) ## Lint, format, types and import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(READY) ## Generate the docs that follow from the code: events, commands, guards, states, deadlines, settings, limits
	@$(BIN)/python -m tests.architecture.documents

bench: $(READY) ## Measure; prints a table and JSON lines; ARGS go to the benchmarks
	@$(BIN)/python -m benchmarks $(ARGS)

requirements: $(READY) ## Pin the requirements again, with hashes and without index addresses
	@for set in run dev; do \
	  $(BIN)/uv pip compile requirements/$$set.in --output-file requirements/$$set.txt \
	    --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url \
	    --no-annotate --quiet || exit 1; \
	done

sbom: $(READY) ## Write sbom.json: every package that runs, with version and hashes (CycloneDX)
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	printf '[project]\nname = "passage"\nversion = "%s"\nrequires-python = "==3.11.*"\n' \
	  "$$($(BIN)/python -c 'from importlib.metadata import version; print(version("passage"))')" \
	  >"$$folder/pyproject.toml" && \
	$(BIN)/uv add --quiet --no-sync --directory "$$folder" -r "$(CURDIR)/requirements/run.txt" && \
	$(BIN)/uv export --quiet --frozen --directory "$$folder" --format cyclonedx1.5 \
	  --preview-features sbom-export --output-file "$(CURDIR)/sbom.json" >/dev/null && \
	echo "sbom.json"

clean: ## Remove .venv and what the tools keep; data folders stay
	rm -rf $(VENV) *.egg-info build .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Passage needs Python 3.11 or newer; set PYTHON=... to name one"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned requirements into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation -e .
	@touch $(READY)
