# Thin wrappers over pip and python -m lab_utils; README.md has the same lines for Windows.
PYTHON ?= python3
VENV ?= .venv
BUDGET ?= quick
OUT ?= build
BIN = $(VENV)/bin

.PHONY: run test lab notebooks lint clean

run: $(VENV)/.student
	$(BIN)/python -m lab_utils run --budget $(BUDGET) --out $(OUT)

test: $(VENV)/.dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lab: $(VENV)/.student
	$(BIN)/jupyter lab labs

notebooks: $(VENV)/.dev
	$(BIN)/python -m labs.build
	$(BIN)/python -m labs.tables

lint: $(VENV)/.dev
	$(BIN)/python -m ruff check .

$(VENV)/.student: requirements.txt requirements-core.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -r requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.student
	$(BIN)/python -m pip install -q -e ".[dev]"
	touch $@

clean:
	rm -rf build
