# The verbs of this house. `make run` and `make test` set up everything they need.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test check audit fix bench faults nightly compose newer screenshots docs lock clean

help:  ## Say what each verb does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

run: $(VENV)/run  ## Start everything on this machine, with a sample network
	@$(BIN)/pratique up

test: $(VENV)/dev  ## Run every test; private RabbitMQ, PostgreSQL and Chromium are started from the installed binaries
	@$(BIN)/python -m tests.servers --install --install-browser
	@$(BIN)/python -m tests

check: $(VENV)/dev  ## Formatting, lint, types, import contracts, generated files, weaknesses of dependencies
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m operations.docs --check
	@$(BIN)/python -m tests.repository.advisories

audit: $(VENV)/dev  ## Compare the locked dependencies with known weaknesses, and fail if nobody could be asked
	@$(BIN)/python -m tests.repository.advisories --strict

fix: $(VENV)/dev  ## Format and mend what can be mended by a tool
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/bench  ## Measure against peers, on private servers; prints a table of ratios
	@$(BIN)/python -m tests.servers --install
	@$(BIN)/python -m pytest -q tests/bench
	@$(BIN)/python -m tests.bench

faults: $(VENV)/dev  ## Break processes, servers and clocks while meetings are closed, and compare; ten seeds
	@$(BIN)/python -m tests.servers --install
	@$(BIN)/python -W ignore -m tests.faults

nightly: $(VENV)/dev  ## A hundred thousand steps of the model, kills of the embedded mode, ten minutes each of hostile and of described requests, a thousand surveys
	@$(BIN)/python -W ignore -m tests.faults.model
	@$(BIN)/python -W ignore -m tests.faults.embedded --kills 12 --seeds 5
	@$(BIN)/python -W ignore -m tests.faults.hostile --seconds 600
	@PRATIQUE_ADVERSARY_SURVEYS=1000 $(BIN)/python -m pytest -q tests/adversary/test_simulated_surveys.py
	@PRATIQUE_CLIENT_SECONDS=600 $(BIN)/python -m pytest -q tests/clients/test_schemathesis.py

compose: $(VENV)/dev  ## Try docker-compose.yml and docs/operate.md in a container engine: one that is there, or one made from packages (root, 4 GB)
	@$(BIN)/python -W ignore -m tests.compose

newer: $(VENV)/dev  ## Run the tests that meet servers on the newest RabbitMQ, PostgreSQL and Python of Debian; needs root, debootstrap and 2 GB
	@$(BIN)/python -m tests.servers.newer

screenshots: $(VENV)/dev  ## Take a picture of every page, in both languages, on phone and laptop, light and dark; into var/screenshots
	@$(BIN)/python -m tests.servers --install-browser
	@$(BIN)/python -m tests.browser.screenshots

docs: $(VENV)/dev  ## Write docs/generated from the code
	@$(BIN)/python -m operations.docs

lock:  ## Resolve the three locks anew, with hashes (needs uv)
	$(call lock,requirements.lock,--extra service --extra build)
	$(call lock,requirements-dev.lock,--extra service --extra build --extra dev --constraint requirements.lock)
	$(call lock,requirements-bench.lock,--all-extras --constraint requirements-dev.lock)

define lock
uv pip compile --quiet pyproject.toml $(2) --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --custom-compile-command "make lock" --upgrade --output-file $(1)
endef

clean:  ## Remove the virtual environment and the data of make run
	rm -rf $(VENV) var

$(VENV)/python: Makefile
	@command -v $(PYTHON) >/dev/null || \
	    { echo "There is no $(PYTHON). Pratique needs Python 3.11 to 3.14; on Debian or Ubuntu: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || \
	    { echo "Pratique needs Python 3.11 to 3.14; $(PYTHON) is $$($(PYTHON) --version 2>&1). Say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] > (3, 14))' || \
	    echo "$(PYTHON) is $$($(PYTHON) --version 2>&1): Pratique is tested on Python 3.11 to 3.14, and may not work on a newer one"
	@echo "Making a virtual environment in $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV) || \
	    { rm -rf $(VENV); echo "Python could not make a virtual environment. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

# Dependencies as the lock has them, by hash; the project itself has none, and is installed from this folder.
# pip is long-winded: each package is named as it comes, and what goes wrong is told by pip on standard error.
pip := $(BIN)/python -m pip install --disable-pip-version-check --no-input
define install
@rm -f $(VENV)/failed; { { $(pip) --require-hashes -r $(1) && $(pip) -q --no-deps --no-build-isolation -e .; } || \
    touch $(VENV)/failed; } | while read -r step package rest; do case "$$step" in \
    Collecting) echo "  $$package" ;; Installing) test "$$package" != collected || echo "  and now into their places" ;; \
    esac; done
@! rm $(VENV)/failed 2>/dev/null
endef

$(VENV)/run: $(VENV)/python requirements.lock pyproject.toml
	@echo "Installing the locked dependencies into $(VENV) (once)"
	$(call install,requirements.lock)
	@touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.lock
	@echo "Installing the tools for tests and checks into $(VENV) (once)"
	$(call install,requirements-dev.lock)
	@touch $@

$(VENV)/bench: $(VENV)/dev requirements-bench.lock
	@echo "Installing the peers that make bench measures against (once)"
	$(call install,requirements-bench.lock)
	@touch $@
