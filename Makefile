# LEGO-Cryst: `make app` and `make test` do all the set-up.

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
WORKSPACE ?= workspace
# PyTorch without CUDA, 0.2 GB instead of 3; with an empty TORCH_INDEX= the build for NVIDIA cards is taken
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
PYTHON311 = $(shell for p in python3.11 python3 python; do \
	$$p -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 11))' 2>/dev/null && command -v $$p && break; done)

.PHONY: app test lint format pictures docs wheel seeds nets cuda cluster dft clean

app: $(VENV)/.compiled
	@$(BIN)/python -m legocryst app --port $(PORT) --workspace $(WORKSPACE)

test: $(VENV)/.compiled $(VENV)/.dev lint
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pictures: $(VENV)/.dev
	$(BIN)/python -m scripts.make_pictures

docs: $(VENV)/.dev
	$(BIN)/python -m scripts.make_docs

wheel: | $(VENV)/bin/python
	@$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist/legocryst-*.whl

seeds: $(VENV)/.dev
	$(PIP) --no-deps -r requirements-seeds.txt
	$(BIN)/python -m scripts.make_seeds

# the relaxation on an NVIDIA card, whose driver must be there
cuda: $(VENV)/.app
	$(PIP) -r requirements-cuda.txt

# work spread over other computers, see docs/cluster.md
cluster: $(VENV)/.app
	$(PIP) -r requirements-cluster.txt

# GPAW is compiled here, as C++, in two or three minutes; libxc and OpenBLAS come from Debian where they are missing
DFT_SYSTEM := libxc-dev libopenblas-dev python3-dev g++
dft: $(VENV)/.app
	@include=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))'); \
	printf '#include <xc.h>\n#include <Python.h>\nint main() {}\n' | g++ -x c++ -I$$include - -o /dev/null -lxc -lopenblas 2>/dev/null || { \
		test "$$(id -u)" = 0 && sudo= || sudo=sudo; \
		$$sudo apt-get update -qq && $$sudo apt-get install -qq -y --no-install-recommends $(DFT_SYSTEM) >/dev/null; } || { \
		echo "GPAW needs $(DFT_SYSTEM): install them as administrator and call make dft again." >&2; exit 1; }
	CC=g++ $(PIP) -r requirements-dft.txt
	@$(BIN)/python -c "import gpaw; print('GPAW', gpaw.__version__, 'is ready.')"

nets: $(VENV)/.dev
	$(PIP) --no-deps -r requirements-seeds.txt
	$(BIN)/python -m scripts.make_nets

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@test -n "$(PYTHON311)" || { echo "LEGO-Cryst needs Python 3.11: install it (Debian 12: apt-get install python3 python3-venv) and call make again." >&2; exit 1; }
	@$(PYTHON311) -m venv $(VENV) || { rm -rf $(VENV); echo "Python 3.11 cannot make a virtual environment: install python3-venv (or python3.11-venv) and call make again." >&2; exit 1; }

# torch first and alone: the rest, which asks for the same version, then leaves the chosen build in place
$(VENV)/.app: requirements.txt | $(VENV)/bin/python
	@echo "Installing LEGO-Cryst's packages into $(VENV): some minutes, about 2.3 GB on disk."
	@$(PIP) --no-deps --retries 1 --timeout 20 $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) "$$(grep '^torch==' requirements.txt)"
	@$(PIP) -r requirements.txt
	@touch $@

# so that nobody waits for it at the first relaxation
COMPILED := $(shell grep -rls --include=*.py 'from legocryst.infra.compiled import' legocryst)
$(VENV)/.compiled: $(VENV)/.app $(COMPILED)
	@echo "Compiling the augmentation, the relaxation and the nets: a minute or two."
	@$(BIN)/python -m scripts.compile
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-cluster.txt $(VENV)/.app
	@$(PIP) -r requirements-dev.txt -r requirements-cluster.txt
	@touch $@
