# LEGO-Cryst: `make app` and `make test` do all the set-up.

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
WORKSPACE ?= workspace
PYTHON311 := $(shell for p in python3.11 python3 python; do \
	$$p -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 11))' 2>/dev/null && command -v $$p && break; done)

.PHONY: app test lint format pictures docs seeds clean

app: $(VENV)/.app
	$(BIN)/python -m legocryst app --port $(PORT) --workspace $(WORKSPACE)

test: $(VENV)/.dev lint
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pictures: $(VENV)/.dev
	$(BIN)/python scripts/make_pictures.py

docs: $(VENV)/.dev
	$(BIN)/python -m scripts.make_docs

seeds: $(VENV)/.dev
	$(BIN)/pip install --no-deps -r requirements-seeds.txt
	$(BIN)/python -m scripts.make_seeds

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@test -n "$(PYTHON311)" || { echo "LEGO-Cryst needs Python 3.11: install it (Debian and Ubuntu: apt-get install python3.11 python3.11-venv) and call make again."; exit 1; }
	$(PYTHON311) -m venv $(VENV) || { echo "Python 3.11 cannot make a virtual environment: install python3.11-venv and call make again."; rm -rf $(VENV); exit 1; }

# torch first and alone: its exact pin keeps every later requirement from bringing a CUDA build
$(VENV)/.app: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' requirements.txt)"
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.app
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
