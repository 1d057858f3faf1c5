# Everything a developer runs. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced

# uv brings its own list of certificate authorities; a machine behind a company proxy trusts
# more than those, and pip already honours them.
export UV_SYSTEM_CERTS := 1
# An environment that is active in the caller's shell is not the one meant here.
unexport VIRTUAL_ENV
unexport PYTHONPATH

UV_PIP := $(BIN)/uv pip
COMPILE := $(UV_PIP) compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header $(LOCK_FLAGS)
C_SOURCES := processors/aligning/_scan.c
# What benchmarks compare with, each in an environment of its own.
PEERS := streams/benchmarking/peers/programs

# Those whose own Python decides; by default ten seconds each.
FUZZ ?= align scan gate actuate dispatch gateway board replay case explain
FUZZ_S ?= 10

.DEFAULT_GOAL := help
.PHONY: help env demo influxd test soak fuzz check audit bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(STAMP) ## Make .venv with the locked packages; nothing to do when it is up to date

demo: $(STAMP) ## Run the whole loop on a local Kafka
	$(BIN)/gridloom demo

influxd: $(STAMP) ## Build InfluxDB, once (5 minutes); needs Go, Rust and clang
	$(BIN)/python -m deploy.influx_build

test: $(STAMP) ## Run the tests, on up to four cores
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

soak: $(STAMP) ## Run the long tests
	$(BIN)/pytest -m soak

fuzz: $(STAMP) ## Fuzz what reads foreign bytes; FUZZ="gate align" names targets, FUZZ_S the time
	$(UV_PIP) install --quiet --python $(BIN)/python --require-hashes -r requirements/fuzz.txt
	for target in $(FUZZ); do \
		$(BIN)/python -m tests.fuzz.guided $$target -max_total_time=$(FUZZ_S) || exit 1; done

check: $(STAMP) ## Lint, check the format, the types and the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: $(STAMP) ## Ask whether locked packages have known vulnerabilities; needs the Internet
	$(BIN)/python -m deploy.dependency_audit

bench: $(STAMP) ## Run all benchmarks
	$(BIN)/gridloom bench all

lock: $(BIN)/uv ## Write all lock files of Python anew; LOCK_FLAGS=--upgrade takes newer versions
	$(COMPILE) --group bootstrap --output-file requirements/uv.txt
	$(COMPILE) --group fuzz --output-file requirements/fuzz.txt
	$(COMPILE) --group audit --output-file requirements/audit.txt
	$(COMPILE) pyproject.toml --output-file requirements/run.txt
	$(COMPILE) pyproject.toml --group dev --constraint requirements/run.txt \
		--output-file requirements/dev.txt
	for peer in quix_streams faust_table; do \
		$(COMPILE) $(PEERS)/$$peer.in --output-file $(PEERS)/$$peer.txt || exit 1; \
	done

clean: ## Remove .venv, caches and build output
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f $(C_SOURCES:.c=.*.so)

$(STAMP): $(BIN)/uv requirements/dev.txt pyproject.toml $(C_SOURCES)
	$(UV_PIP) sync --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV_PIP) install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# The `-x` test also answers no for a link to a Python that has gone.
$(BIN)/uv: requirements/uv.txt
	test -x $(BIN)/python || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement $<
	@touch $@
