# One vocabulary for people, hooks and CI. Every target sets itself up.
.DEFAULT_GOAL := help
.PHONY: help setup demo test slow check bench docs lock clean

PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
BIN := .venv/bin
# An idle OpenMP thread sleeps instead of spinning: it matters on a busy machine.
export OMP_WAIT_POLICY := passive
# Bytecode may be kept: without it every command starts seconds later.
export PYTHONDONTWRITEBYTECODE :=

help:            ## what there is to make
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/:/' | column -t -s ':'

setup: $(BIN)/.ready   ## everything needed to run, into .venv

demo: $(BIN)/.ready    ## the whole loop on real data (CDNOW), about three minutes
	$(BIN)/stayworth demo

test: $(BIN)/.test     ## the fast tests
	$(BIN)/pytest -m "not slow" -n logical --maxprocesses 4 --dist loadfile

slow: $(BIN)/.spark .emulators/.ready    ## the long tests, Spark's among them
	$(BIN)/pytest -m "slow and not alone" -n logical --maxprocesses 2 --dist loadfile
	$(BIN)/pytest -m alone

check: $(BIN)/.test    ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(BIN)/.test    ## every benchmark: JSON and a table under benchmarks/results
	$(BIN)/python -m benchmarks

docs: $(BIN)/.test     ## the documentation and the reference, into build/docs
	$(BIN)/python docs/build.py

lock: $(UV)            ## exact versions and hashes of every dependency
	$(UV) pip compile pyproject.toml -q --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" -o requirements.lock
	for extra in test spark postgres; do $(UV) pip compile pyproject.toml -q --extra $$extra -c requirements.lock --universal \
		--python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
		-o requirements-$$extra.lock; done
	$(UV) pip compile --group pyproject.toml:emulators -q --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" -o requirements-emulators.lock

clean:           ## what setup and the tests made
	rm -rf .venv .uv .emulators build .pytest_cache .hypothesis .mypy_cache .ruff_cache

.uv/bin/uv:
	@test -n "$(PYTHON)" || { echo "Stayworth needs Python 3.11, 3.12 or 3.13 on the PATH (as python3)."; exit 2; }
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install -q --disable-pip-version-check uv==0.13.9

$(BIN)/.ready: requirements.lock pyproject.toml | $(UV)
	@test -n "$(PYTHON)" || { echo "Stayworth needs Python 3.11, 3.12 or 3.13 on the PATH (as python3)."; exit 2; }
	@echo "Setting up .venv: about 1.2 GB of libraries, a minute or two the first time."
	test -x $(BIN)/python || $(UV) venv -q --python $(PYTHON) .venv
	$(UV) pip install -q --python $(BIN)/python --no-deps --require-hashes -r requirements.lock
	$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	touch $@

$(BIN)/.spark: requirements-spark.lock $(BIN)/.test
	@echo "Adding Spark: about .5 GB."
	$(UV) pip install -q --python $(BIN)/python --no-deps --require-hashes -r requirements-spark.lock
	touch $@

$(BIN)/.test: requirements-test.lock $(BIN)/.ready
	@echo "Adding what the tests need."
	$(UV) pip install -q --python $(BIN)/python --no-deps --require-hashes -r requirements-test.lock
	touch $@

.emulators/.ready: requirements-emulators.lock $(BIN)/.ready
	@echo "Adding servers of objects that the tests start: about .1 GB."
	test -x .emulators/bin/python || $(UV) venv -q --python $(PYTHON) .emulators
	$(UV) pip install -q --python .emulators/bin/python --no-deps --require-hashes -r requirements-emulators.lock
	touch $@
