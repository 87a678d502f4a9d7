# make run and make test need Python 3.10 or newer and nothing else: they make .venv and install into it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# For example: make run ARGS="--article my.txt --port 8000"
ARGS ?=

.PHONY: run test lint format fit fit-answers evaluate screenshots peers benchmarks clean

run: $(VENV)/installed
	$(BIN)/python app.py --browser $(ARGS)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Where the SQuAD files are; they are not part of the project.
SQUAD_DIR ?= ../shared/data/squad

fit: $(VENV)/installed
	$(BIN)/python -m training.fit_ranking $(SQUAD_DIR)/train-v2.0.json.gz

# Fitted after the reader is trained.
fit-answers: $(VENV)/installed
	$(BIN)/python -m training.fit_answers $(SQUAD_DIR)/train-v2.0.json.gz

evaluate: $(VENV)/installed
	$(BIN)/python -m qa evaluate $(SQUAD_DIR)/dev-v2.0.json.gz --mode paragraph | tee benchmarks/results/dev-v2.0-paragraph.json
	$(BIN)/python -m qa evaluate $(SQUAD_DIR)/dev-v1.1.json.gz | tee benchmarks/results/dev-v1.1-article.json
	$(BIN)/python -m qa evaluate $(SQUAD_DIR)/dev-v2.0.json.gz | tee benchmarks/results/dev-v2.0-article.json

screenshots: $(VENV)/installed-dev
	$(BIN)/python -m tests.screenshots

# On Linux the plain torch brings gigabytes for graphics cards along, so its CPU build is asked for
# first: where pip already finds one, then at PyTorch's own index, and last whatever there is.
define install_torch
	@torch=$$(grep '^torch==' requirements.txt); export PIP_DISABLE_PIP_VERSION_CHECK=1; \
	  $(1)/pip install -q "$$torch+cpu" 2>/dev/null \
	  || $(1)/pip install -q "$$torch" --index-url https://download.pytorch.org/whl/cpu \
	  || $(1)/pip install -q "$$torch"
endef

# The peers have an environment of their own: what they need is no part of the program.
PEERS := .venv-peers

peers: $(PEERS)/installed

$(PEERS)/installed: benchmarks/requirements-peers.txt requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(call install_torch,$(PEERS)/bin)
	$(PEERS)/bin/pip install -q -r benchmarks/requirements-peers.txt
	@touch $@

# Nothing else should run on the machine.
benchmarks: $(VENV)/installed-dev peers
	$(BIN)/python -m benchmarks.latency $(SQUAD_DIR)/dev-v1.1.json.gz
	$(BIN)/python -m benchmarks.peers $(SQUAD_DIR)/dev-v1.1.json.gz --every 10

clean:
	rm -rf $(VENV) $(PEERS) .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "error: Python 3.10 or newer is needed: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/torch: requirements.txt | $(VENV)/bin/python
	$(call install_torch,$(BIN))
	@touch $@

$(VENV)/installed: requirements.txt $(VENV)/torch
	@echo "installing what requirements.txt names (a few minutes the first time)"
	$(BIN)/pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(BIN)/pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@
