# make run and make test need Python 3.10 or newer and nothing else: they make .venv and install into it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# For example: make run ARGS="--article my.txt --port 8000"
ARGS ?=

.PHONY: run test test-fast lint format lock audit fit fit-answers evaluate screenshots torture peers benchmarks clean

run: $(VENV)/installed
	$(BIN)/python app.py --browser $(ARGS)

# Processes that the tests are shared among.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test: $(VENV)/installed-dev
	$(PYTEST) --durations=25

# Without models, browser, network and what takes seconds: under a minute.
test-fast: $(VENV)/installed-dev
	$(PYTEST) -m "not models and not browser and not slow"

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

# Some minutes of kills and harm; the short part of it is in make test.
torture: $(VENV)/installed-dev
	$(BIN)/python -m tests.torture

# On Linux the plain torch brings gigabytes for graphics cards along, so its CPU build is asked for
# first: where pip already finds one, then at PyTorch's own index, and last whatever there is. What
# torch needs is in requirements.lock, with hashes. torch itself has none there, since the hash depends
# on which of these has it; pip compares what it downloads with the hash that the index gives.
define install_torch
	@torch=$$(grep '^torch==' requirements.txt); export PIP_DISABLE_PIP_VERSION_CHECK=1; \
	  $(1)/pip install -q --no-deps "$$torch+cpu" 2>/dev/null \
	  || $(1)/pip install -q --no-deps "$$torch" --index-url https://download.pytorch.org/whl/cpu \
	  || $(1)/pip install -q --no-deps "$$torch"
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

# What requirements*.txt name, and all that these need, with the hashes of their files for every Python
# from 3.10 on and every system. torch and what only torch needs are not among them: its small CPU
# build comes from another place than the large one, with another hash, and on Linux all of CUDA
# belongs to the large one. torch's other packages are locked with the rest.
OF_TORCH := torch triton cuda-bindings cuda-pathfinder cuda-toolkit $(addprefix nvidia-,cublas \
  cuda-cupti cuda-nvrtc cuda-runtime cudnn-cu13 cufft cufile curand cusolver cusparse cusparselt-cu13 \
  nccl-cu13 nvjitlink nvshmem-cu13 nvtx)
# They have an environment of their own: what they need is no part of the program.
LOCKING := .venv-lock
COMPILE := $(LOCKING)/bin/uv pip compile -q --universal --python-version 3.10 --no-python-downloads \
  --generate-hashes --no-annotate --custom-compile-command "make lock" \
  $(addprefix --no-emit-package=,$(OF_TORCH))

lock: $(LOCKING)/installed
	$(COMPILE) requirements.txt -o requirements.lock
	$(COMPILE) requirements.txt requirements-dev.txt -c requirements.lock -o requirements-dev.lock
	@! grep -nE '^(torch|triton|cuda-|nvidia-)' requirements*.lock \
	  || { echo "error: torch needs more than before: add it to OF_TORCH in the Makefile."; exit 2; }

# --strict, or packages that the database could not be asked about would pass.
AUDIT := $(LOCKING)/bin/pip-audit --strict --disable-pip --progress-spinner off

audit: $(LOCKING)/installed
	@grep '^torch==' requirements.txt > $(LOCKING)/torch.txt
	@$(AUDIT) --require-hashes -r requirements-dev.lock && $(AUDIT) --no-deps -r $(LOCKING)/torch.txt \
	  || { echo "error: the line above names a package with a known hole, or one that the database" \
	  "at pypi.org could not be asked about: then nothing is known of the rest, so try again."; exit 2; }

$(LOCKING)/installed: Makefile
	$(PYTHON) -m venv $(LOCKING)
	$(LOCKING)/bin/pip install -q --disable-pip-version-check uv==0.13.9 pip-audit==2.10.1
	@touch $@

clean:
	rm -rf $(VENV) $(PEERS) $(LOCKING) .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "error: Python 3.10 or newer is needed: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/torch: requirements.txt | $(VENV)/bin/python
	$(call install_torch,$(BIN))
	@touch $@

# Only what has the hash that is in the lock file, and nothing that is not in it.
INSTALL := $(BIN)/pip install -q --disable-pip-version-check --require-hashes --no-deps

$(VENV)/installed: requirements.lock $(VENV)/torch
	@echo "installing what requirements.lock names (a few minutes the first time)"
	$(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	$(INSTALL) -r requirements-dev.lock
	@touch $@
