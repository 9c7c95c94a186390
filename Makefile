# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check lint types imports docs docs-check bench setup clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all,dev]'
	@touch $(READY)

demo: $(READY)
	@$(BIN)/cloudseg audit demo --fail-on none
	@echo
	@echo "Next: $(BIN)/cloudseg reach demo --to bookshop-prod-app-2   who reaches it, and on what"
	@echo "      $(BIN)/cloudseg explain demo --from internet --to bookshop-prod-reporting-db --traffic tcp/5432"
	@echo "      $(BIN)/cloudseg explain demo --from internet --to jump --traffic tcp/3389   the same on Azure"
	@echo "      $(BIN)/cloudseg audit demo --flows demo              what is really used of it, by five weeks of flow logs"
	@echo "      $(BIN)/cloudseg plan demo --flows demo -o plan           its fixes, proved, as a folder to review"
	@echo "      $(BIN)/cloudseg audit aws                            the same for your own account (read-only)"
	@echo "      $(BIN)/cloudseg audit azure                          or for your subscriptions"

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy
	$(BIN)/pyright

imports: $(READY)
	$(BIN)/lint-imports

docs: $(READY)
	$(BIN)/python docs/demo_logs.py
	$(BIN)/python docs/generate.py

docs-check: $(READY)
	$(BIN)/python docs/demo_logs.py --check
	$(BIN)/python docs/generate.py --check

bench: $(READY)
	$(BIN)/python -m benchmarks.run docs/benchmarks.md

check: lint types imports docs-check test

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
