# Everything runs in .venv, which the first target that needs it makes; what compares with other
# programs in .venv-programs.

.DEFAULT_GOAL := help
.PHONY: help torture-minute bits pages run test test-samples test-programs test-twins twins doors real-files runtimes kills coverage trials display browser bench ulps torture commands gallery check clean test-install stub docs links messages picture
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PROGRAMS := .venv-programs
MINUTES ?= 120
SITE := .venv-docs
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$name; break; }; done)

DISPLAY_PACKAGES := xvfb libx11-6 libgl1 libgl1-mesa-dri fonts-dejavu-core

help: ## Show what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(STAMP) ## Open the editor; without a display train a graph and play it in the terminal
	@if $(BIN)/python -c 'import sys; from nodeflow.window.platform.display import reason; \
		sys.exit(reason() is not None)'; then \
		$(BIN)/nodeflow edit; \
	else \
		$(BIN)/nodeflow train graphs/iris.json; echo; \
		speed=0; test -t 1 && speed=5; \
		$(BIN)/nodeflow play graphs/iris.json --samples 2 --speed $$speed; \
	fi

# Tests run side by side: more threads for each would only wait for each other.
test: $(STAMP) display browser ## Run all tests
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto $(PYTEST)

test-install: $(STAMP) ## Install the wheel by pip into an empty environment, and try the README
	@NODEFLOW_INSTALL=1 $(BIN)/python -m pytest -q tests/test_wheel.py -k empty_environment

# A program that is missing there is a failure, not a reason to skip.
test-programs: $(PROGRAMS)/.installed browser ## Run the tests with PyTorch, JupyterLab and others
	@OPENBLAS_NUM_THREADS=1 $(PROGRAMS)/bin/python -m pytest -n auto --programs $(PYTEST)

doors: $(PROGRAMS)/.installed ## Try 200 random networks of each program and all samples, in and out; write the page
	@figures=$$(mktemp); NODEFLOW_DOORS=200 NODEFLOW_DOORS_FIGURES=$$figures OPENBLAS_NUM_THREADS=1 \
		$(PROGRAMS)/bin/python -m pytest -n auto -q --programs tests/test_doors.py tests/test_doors_samples.py \
		&& $(PROGRAMS)/bin/python -m gallery.doors $$figures; \
		status=$$?; rm -f $$figures; exit $$status

kills: $(PROGRAMS)/.installed ## Kill workers, scheduler and command of sweeps at random, 20 times
	@NODEFLOW_KILLS=20 OPENBLAS_NUM_THREADS=1 $(PROGRAMS)/bin/python -m pytest -q --programs \
		tests/test_cluster.py -k at_random

coverage: $(STAMP) display browser ## Run all tests slowly, and show which lines they run
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --cov --cov-report=term $(PYTEST)

test-samples: $(STAMP) display ## Press the buttons of the real window on every sample; open all that opens by either hand
	@NODEFLOW_SAMPLES=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -q \
		tests/window/test_file_samples.py tests/window/test_all_that_opens.py

trials: $(STAMP) ## Try the gradient check on 500 networks, right ones and ones with a wrong rule
	@NODEFLOW_TRIALS=500 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -q \
		tests/test_trials.py

# The tests of the window draw on a display that nobody sees. Where it cannot be installed they
# are skipped, with this reason.
display:
	@command -v Xvfb >/dev/null || { \
		if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
			echo "installing Xvfb for the tests of the window …"; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends $(DISPLAY_PACKAGES); } >/dev/null 2>&1; \
		fi; \
		command -v Xvfb >/dev/null || \
			echo "no Xvfb: the tests of the window are skipped" >&2; }

# The tests of the HTML page open it in Chromium and in Firefox. Where one cannot be installed its
# tests are skipped, with this reason.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
			echo "installing Chromium for the tests of the HTML page …"; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1; \
		fi; \
		command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
			echo "no Chromium: the tests of the HTML page are skipped" >&2; }
	@command -v firefox-esr >/dev/null || command -v firefox >/dev/null || { \
		if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
			echo "installing Firefox for the tests of the HTML page …"; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends firefox-esr; } >/dev/null 2>&1; \
		fi; \
		command -v firefox-esr >/dev/null || command -v firefox >/dev/null || \
			echo "no Firefox: its tests of the HTML page are skipped" >&2; }

bench: $(STAMP) ## Measure the engine beside others and the build before; write the page
	@$(BIN)/python -m benchmarks --write-docs

messages: $(STAMP) display ## Send a million random messages to the editor, and the window 100,000 random events
	@NODEFLOW_MESSAGES=1000000 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto \
		tests/test_editor_random.py
	@NODEFLOW_EVENTS=100000 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto \
		tests/window/test_random_events.py

bits: $(STAMP) ## Search long for rows and forms that differ in a bit; take random graphs apart
	@NODEFLOW_SEARCH=20 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto \
		tests/test_kernel_rows.py tests/test_kernel_forms.py tests/test_deconstruct.py \
		tests/test_tables_mutated.py

pages: $(STAMP) browser ## Compare many graphs in a page with Python: 500 random ones, all of graphs/
	@NODEFLOW_PAGES=250 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto \
		tests/test_page_search.py

torture: $(STAMP) ## Search for what falls over, for two hours (MINUTES=…): a line for each part
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m torture --minutes $(MINUTES)

torture-minute: $(STAMP) ## Search for what falls over for a minute a part, two at once: CI runs this
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m torture --short --at-once 2

ulps: $(STAMP) ## Search long for the largest errors of elementwise functions
	@$(BIN)/python -m benchmarks.ulps

commands: $(STAMP) ## Renew usage and options in docs/commands.md
	@$(BIN)/python -m gallery.commands --write

docs: $(SITE)/.installed ## Build the documentation as a site, and check its links: build/docs/html
	@OPENBLAS_NUM_THREADS=1 $(SITE)/bin/python -m website build/docs

links: $(SITE)/.installed ## Follow the links of the documentation that lead elsewhere
	@OPENBLAS_NUM_THREADS=1 $(SITE)/bin/python -m website --links build/docs

stub: $(STAMP) ## Renew nodeflow/__init__.pyi from the declarations of the library
	@$(BIN)/python -m gallery.stub --write

gallery: $(STAMP) ## Measure the gallery anew; write its page and pictures
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m gallery --write

picture: $(STAMP) display ## Take the picture of the editor for the README anew
	@$(BIN)/python -m gallery.editor --write

# What the programs need themselves is installed in a temporary folder; FANN's headers, R, Java and
# Weka by the system.
test-twins: $(STAMP) ## Run the programs of graphs/twins/ again, and compare with what is kept
	@if ! { test -e /usr/include/doublefann.h && test -e /usr/share/java/weka.jar && \
		command -v Rscript && command -v java && command -v clang; } >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends clang gcc libc6-dev \
		libfann-dev r-base-core r-cran-nnet default-jre-headless weka; } >/dev/null 2>&1; \
	fi
	@$(BIN)/python tests/twins_programs/compare.py

runtimes: $(PROGRAMS)/.installed ## Have other programs run the ONNX files written here; write the page
	@command -v clang >/dev/null || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends clang; } >/dev/null 2>&1; }
	@$(PROGRAMS)/bin/python tests/doors_programs/runtimes.py --write-docs

real-files: $(STAMP) ## Read what the real programs save, and let them read what is written here
	@if ! { test -e /usr/include/doublefann.h && test -e /usr/share/java/weka.jar; } \
		&& command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev \
		libfann-dev default-jre-headless weka; } >/dev/null 2>&1; \
	fi
	@$(BIN)/python tests/doors_programs/compare.py

twins: $(STAMP) ## Write graphs/twins/ and its table anew from the rules
	@$(BIN)/python -m gallery.twins

check: $(STAMP) ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

clean: ## Remove .venv and all that was made here
	rm -rf $(VENV) $(PROGRAMS) $(SITE) build dist htmlcov .coverage .coverage.* \
		.pytest_cache .benchmarks .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A .venv without pip is what Debian leaves behind where python3-venv is missing.
$(STAMP): EXTRAS := dev,datasets
$(PROGRAMS)/.installed: EXTRAS := dev,datasets,programs
$(SITE)/.installed: EXTRAS := docs,datasets,notebook
%/.installed: pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "nodeflow needs Python 3.11 or newer: install it, or name it with PYTHON=…" >&2; \
		exit 1; \
	fi
	@if ! $*/bin/python -m pip --version >/dev/null 2>&1; then \
		rm -rf $*; \
		if ! $(PYTHON) -m venv $* >/dev/null 2>&1; then \
			rm -rf $*; \
			package=python3-venv; \
			case "$(PYTHON)" in python3.*) package=$(PYTHON)-venv;; esac; \
			if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
				apt-get update -qq && apt-get install -y -qq $$package; \
				$(PYTHON) -m venv $*; \
			else \
				echo "Python's venv is missing: install the system package $$package" >&2; \
				exit 1; \
			fi; \
		fi; \
	fi
	@echo "installing nodeflow into $* …"
	@$*/bin/python -m pip install --quiet --disable-pip-version-check -e ".[$(EXTRAS)]"
	@touch $@
