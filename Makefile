# Every target makes its own environment in .venv and needs only Python >= 3.11 (with venv), git and make.

VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
comma := ,
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do command -v $$name >/dev/null 2>&1 && { echo $$name; break; }; done)
# Versions known to work together; `make CONSTRAINTS= test` tries the newest instead.
CONSTRAINTS ?= constraints.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Where a pinned version does not exist for this Python, the newest that does is taken.
install = $(if $(CONSTRAINTS),$(PIP) -c $(CONSTRAINTS) -e '$(1)' 2>/dev/null || )$(PIP) -e '$(1)'

.PHONY: demo test lint docs bench validate clean help

help:
	@echo "make demo      simulate examples/demo.yaml and say where the report is"
	@echo "make test      lint, types, documentation and all tests"
	@echo "make lint      ruff and mypy"
	@echo "make docs      build the documentation into site/"
	@echo "make bench     set up the programs to compare with, and time the same work with each"
	@echo "make validate DATA=DIR   compare the catalogue with patients' data in DIR"
	@echo "make clean     remove what these targets made"

demo: $(VENV)/.installed
	$(BIN)/rekindle simulate examples/demo.yaml --out demo-report
	@echo "Open $(CURDIR)/demo-report/report.html"

test: lint docs
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/mypy

docs: $(VENV)/.installed-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.installed-bench
	$(BIN)/rekindle bench --out bench-report

validate: $(VENV)/.installed
	$(BIN)/python tests/validation/ds005917.py "$(DATA)"

clean:
	rm -rf $(VENV) site demo-report bench-report build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is `$(PYTHON) -V 2>&1`. Name another with PYTHON=..."; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "This Python cannot make environments: venv is missing. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.python pyproject.toml $(CONSTRAINTS)
	$(call install,.)
	@touch $@

$(VENV)/.installed-test: $(VENV)/.python pyproject.toml $(CONSTRAINTS)
	$(call install,.[test$(comma)docs])
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: $(VENV)/.python pyproject.toml $(CONSTRAINTS)
	$(call install,.[bench])
	@touch $@
