# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
NODE_MODULES := node_modules/.package-lock.json
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export CDK_DISABLE_CLI_TELEMETRY := true

.PHONY: demo test check docs bench clean setup

demo: setup
	@$(BIN)/python examples/demo.py

test: setup
	@echo "==> running all tests"
	@$(BIN)/python -m pytest -n 2 -q

check: setup
	@echo "==> format, lint, types"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

docs: setup
	@echo "==> documentation site: build/docs/index.html"
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs build/docs

bench: setup
	@echo "==> benchmarks"
	@$(BIN)/python -m pytest benchmarks -q --benchmark-only --benchmark-timer=time.process_time

clean:
	rm -rf .venv node_modules build .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find examples -name cdk.out -type d -prune -exec rm -rf {} +

setup: .venv/installed $(NODE_MODULES)

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: kms-access needs Python 3.11 or newer, found $$($(PYTHON) --version)"; exit 1; }
	@echo "==> creating .venv and installing Python packages (a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade pip
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[cdk,nag,pulumi,snapshot]' --group dev
	@touch $@

$(NODE_MODULES): package.json package-lock.json
	@command -v npm >/dev/null || { echo "error: npm is missing, install Node.js 20 or newer"; exit 1; }
	@echo "==> installing the cdk command"
	@npm ci --silent --no-audit --no-fund
	@touch $@
