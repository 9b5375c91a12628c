# The commands, and nothing else. PYTHON picks the interpreter, PIP_ARGS goes to pip:
#   make book PYTHON=python3.12 PIP_ARGS="--no-cache-dir"

SHELL := /bin/bash
PIP_ARGS ?=
BIN := .venv/bin
INSTALLED := .venv/installed
BENCH := .venv-bench
ONNX := .venv-onnx
CANDIDATES := $(or $(PYTHON),python3 python3.13 python3.12 python3.11)
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

.PHONY: setup lab book test test-site faults bench checkpoints page-model
.DEFAULT_GOAL := setup

setup: $(INSTALLED)

# Everything into .venv, once: again only when what is to be installed has changed.
$(INSTALLED): requirements.txt pyproject.toml
	@python=""; \
	for candidate in $(CANDIDATES); do \
	  if "$$candidate" -c "$(SUPPORTED)" 2>/dev/null; then python="$$candidate"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "The book needs Python 3.11, 3.12 or 3.13, and none was found as: $(CANDIDATES)."; \
	  echo "Install one, then name it: make PYTHON=/path/to/python3.12"; \
	  exit 1; \
	fi; \
	echo "Installing into .venv with $$("$$python" --version): a few minutes, the first time only."; \
	"$$python" -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements.txt
	@touch $@

lab: $(INSTALLED)
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks

book: $(INSTALLED)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter-book build book/ -W -n --keep-going
	@echo; echo "The site: file://$(CURDIR)/book/_build/html/index.html"

test: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -n auto --nbval --ignore=tests/site tests notebooks

# The pages in a real browser: CHROMIUM names one, otherwise it is Playwright's own or the system's. What they look like
# is kept in book/_build/screenshots. A worker that has done its half takes of the other's.
test-site: book
	SCREENSHOTS="$(CURDIR)/book/_build/screenshots" $(BIN)/pytest -n auto --dist=worksteal tests/site

# Do the tests notice mistakes? Faults are planted in a copy of the source, one at a time, and the tests of the module
# must fail: first those that people make, then some drawn by chance. Do the claims? Faults are planted in the chapters,
# smaller and smaller, until the claim lets one pass.
faults: $(INSTALLED)
	$(BIN)/python -m tools.mutants
	$(BIN)/python -m tools.mutants drawn --seed 0 --count 100
	$(BIN)/python -m tools.faults

bench: $(BENCH)/installed
	$(BENCH)/bin/python -m benchmarks

# The libraries that the book is measured beside, in an environment of their own. --no-deps: one of them names
# torchvision, which the benchmark stands in for.
$(BENCH)/installed: $(INSTALLED) benchmarks/requirements.txt
	$(BIN)/python -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements.txt
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --no-deps -r benchmarks/requirements.txt
	@touch $@

# The network that the playground of digits loads, after the checkpoint: exported in an environment of its own.
page-model: $(ONNX)/installed
	$(ONNX)/bin/python -m tools.page_model

$(ONNX)/installed: $(INSTALLED) tools/page_model/requirements.txt
	$(BIN)/python -m venv $(ONNX)
	$(ONNX)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements.txt
	$(ONNX)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --no-deps -r tools/page_model/requirements.txt
	@touch $@

# The judges first: the metrics of the others are taken on their features. At the end what the judges see, the scoreboard
# of them all, and the modes of those that make stacked digits.
checkpoints: $(INSTALLED)
	for name in classifier encoder ddpm-mnist ddpm-mnist-conditional ncsn-mnist vae-mnist gan-mnist rpgan-mnist consistency-mnist add-mnist gan-stacked gan-penalised-stacked rpgan-stacked ddpm-stacked likelihood-mnist canvas-reader canvas-eye canvas-autoencoder ldm-digits canvas-pixels; do \
	  $(BIN)/diffusion-teach train $$name --overwrite --out src/diffusion_teach/checkpoints || exit 1; \
	done
	$(BIN)/python -m diffusion_teach.studies judges.measure
	$(BIN)/python -m diffusion_teach.studies scoreboard.measure
	$(BIN)/python -m diffusion_teach.studies scoreboard.canvases
	$(BIN)/python -m diffusion_teach.studies denoising_gan.measure
	$(BIN)/python -m diffusion_teach.studies canvas_codes.obedience
	$(BIN)/python -m diffusion_teach.studies stacked_digits.count
