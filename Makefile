# What the README and CI call. Needs Python 3.11 or newer and the package registries; sets everything up itself.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
TESTS  ?= tests
WORKERS ?= 2

.PHONY: demo test check bench lock clean

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "kanta-gateway needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: $(VENV)/.ready        ## the main job end to end on sample data, in a temporary folder
	$(BIN)/kanta-gateway demo

check: $(VENV)/.ready       ## format, lint, types, layers, licences, knowledge files
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/architecture/licences.py
	$(BIN)/kanta-gateway check --data $(VENV)/check > $(VENV)/check.txt || { cat $(VENV)/check.txt; exit 1; }

test: check                 ## everything that CI needs
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

bench: $(VENV)/.ready       ## one JSON line per figure, with this machine's raw rates beside it
	$(BIN)/python tests/benchmarks/bench.py

lock: $(VENV)/.ready        ## renew requirements.lock from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --group dev --extra hsm --extra postgres pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
