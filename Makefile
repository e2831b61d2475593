# Needs git, make and python3 (3.11 or later). Everything else is installed into .venv as requirements/*.lock pins it.
.DEFAULT_GOAL := help
.PHONY: help demo test check bench soak docs lock format clean
SHELL := /bin/bash
.DELETE_ON_ERROR:

BIN := .venv/bin
INSTALL := pyproject.toml scripts/install.sh

help:  ## what can be made
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: .venv/run.stamp  ## watch a leak being traced to the account that received the data
	@$(BIN)/canary demo

test: .venv/dev.stamp  ## run every test, with coverage
	@scripts/test.sh

check: .venv/dev.stamp  ## format, lint, types, import rules, docs and lock files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/lock.py --check
	$(BIN)/python scripts/make_docs.py --check

bench: .venv/dev.stamp  ## measure speed and memory into docs/figures/bench.md
	@$(BIN)/python benchmarks/run.py

soak: .venv/dev.stamp  ## run what takes long; the log goes to docs/figures/soak.txt
	@scripts/soak.sh

docs: .venv/dev.stamp  ## make docs/reference from the program
	@$(BIN)/python scripts/make_docs.py

lock: .venv/dev.stamp  ## make requirements/*.lock from pyproject.toml
	@$(BIN)/python scripts/lock.py

format: .venv/dev.stamp  ## format the code
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

clean:  ## remove .venv, caches and reports
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* build dist

.venv/run.stamp: requirements/run.lock $(INSTALL)
	@scripts/install.sh run
	@touch $@

.venv/dev.stamp: requirements/dev.lock $(INSTALL)
	@scripts/install.sh dev
	@touch $@ .venv/run.stamp
