# Each target is enough on a fresh clone of a fresh machine: the set-up comes first and only looks
# when there is nothing to do.

PYTHON ?= python3
BOARD  ?= tag:virtual
VENV   := .venv/bin
WORKERS ?= $(shell n=$$(nproc); echo $$((n < 4 ? n : 4)))
SUITES := $(addprefix test_suites/,smoke parity latency memory accuracy regression)
OWN    := $(addprefix test_suites/,harness provoked virtual mutants)

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev bench test test-slow lint mutants models fuzz bench-kernels bench-build bench-idle bench-link bench-forecast bench-clean bench-overhead bench-report lock clean

help:  ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup:  ## what a bench needs: packages, Python packages, arduino-cli, TFLM
	@$(PYTHON) -m hil.setup --bench

setup-dev:  ## the same, with TensorFlow and the linters
	@$(PYTHON) -m hil.setup --dev

bench: setup  ## all models on the virtual boards (BOARD=… for others)
	@$(VENV)/pytest $(SUITES) --board $(BOARD)

# Each of the project's own tests has a bench of its own, so that files can run side by side.
test: setup-dev lint  ## a bench, then the project's own tests
	@$(VENV)/pytest $(SUITES) --board $(BOARD)
	@$(VENV)/pytest $(OWN) -m "not slow" -n $(WORKERS) --dist loadfile

test-slow: setup-dev  ## the tests that compile TFLM anew
	@$(VENV)/pytest $(OWN) -m slow -n $(WORKERS)

lint: setup-dev  ## ruff and mypy
	@$(VENV)/ruff check --quiet .
	@$(VENV)/ruff format --quiet --check .
	@$(VENV)/mypy --no-error-summary

mutants: setup-dev  ## faults put in on purpose (docs/mutants.md): each must be found, and told right
	@$(VENV)/pytest test_suites/mutants --mutants all --no-header -q

models: setup-dev  ## train the models anew and compare accuracy and structure
	@$(VENV)/python -m models train

fuzz: setup-dev  ## spoil everything that is read, for FUZZ_SECONDS (600)
	@$(VENV)/python test_suites/common/fuzz.py

bench-kernels: setup  ## flash of each kernel, for the forecasts of hil check
	@$(VENV)/python benchmarks/kernels.py

bench-build: setup  ## times of a build: cold, model changed, unchanged
	@$(VENV)/python benchmarks/build.py

bench-idle: setup  ## what idle virtual boards cost
	@$(VENV)/python benchmarks/idle.py

bench-link: setup  ## round trips of a frame and of an inference
	@$(VENV)/python benchmarks/link.py

bench-forecast: setup  ## how far the latency forecasts of hil check are off, after `make bench`
	@$(VENV)/python benchmarks/forecast.py

bench-clean: setup  ## does anything fail though nothing is wrong? 200 runs of smoke
	@$(VENV)/python benchmarks/clean.py

bench-overhead: setup  ## what writing everything down costs a run in which nothing fails
	@$(VENV)/python benchmarks/overhead.py

bench-report: setup  ## size of the report of 500 records, and how long a browser opens it
	@$(VENV)/python benchmarks/report.py

# Locks for all Pythons and machines at once, with hashes; needs uv on PATH.
lock:  ## renew requirements/*.lock from *.in
	@for name in bench dev; do env -u PIP_FIND_LINKS uv pip compile --quiet --universal \
	    --generate-hashes --python-version 3.11 --no-header --no-annotate --upgrade \
	    requirements/$$name.in --output-file requirements/$$name.lock || exit 1; done

clean:  ## remove what runs left in the checkout; the cache in ~/.cache/hil stays
	rm -rf .venv reports dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks
