# Every target makes its own virtual environment from a pinned, hashed list (.ci/venv). More words: make test ARGS="-k ledger".
VENV ?= .venv
PYTHON ?=
ARGS ?=
# make run EXTRA="board telegram": with what the board in the browser and the Telegram bot need.
EXTRA ?=
# Most tests wait for sockets and clocks. More workers are faster and less fair to tests that end processes in time.
WORKERS ?= 3
BIN := $(VENV)/bin
export PYTHON
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help demo run test check bench soak boards lock lab fmt clean runtime dev format lint types imports boards-check rules

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

demo: override EXTRA += board
demo: runtime ## the squeeze of 2026-01-14 on local venue servers; open http://127.0.0.1:8000
	@"$(BIN)/cascade" demo $(ARGS)

run: runtime ## the service, live
	@"$(BIN)/cascade" run $(ARGS)

test: dev ## the tests
	"$(BIN)/python" -m pytest -n $(WORKERS) --session-timeout=530 $(ARGS)

check: format lint types imports boards-check rules test ## everything CI checks

format: dev
	"$(BIN)/ruff" format --check .

lint: dev
	"$(BIN)/ruff" check .

types: dev
	"$(BIN)/mypy"
	"$(BIN)/mypy" grafana/build.py

imports: dev
	"$(BIN)/lint-imports" --no-logo

boards-check: dev
	"$(BIN)/python" grafana/build.py --check

rules:
	@if command -v promtool >/dev/null; then set -ex; \
		promtool check config config/prometheus/prometheus.yml; promtool test rules tests/rules/*.test.yaml; \
	else echo "promtool is not installed: config/prometheus is not checked"; fi

bench: dev ## measure: tests/benchmarks
	@for file in tests/benchmarks/*.py; do echo "== $$file"; "$(BIN)/python" "$$file" $(ARGS) || exit 1; done

soak: dev ## all venues at once under random faults, ten minutes, then everything is counted
	@"$(BIN)/python" -m tests.soak $(ARGS)

lab: dev ## detectors against an invented market whose cascades are known; ARGS="--seeds 4 --months 3"
	@"$(BIN)/python" -m service lab --jobs 2 $(ARGS)

boards: dev ## write grafana/dashboards anew from grafana/build.py
	@"$(BIN)/python" grafana/build.py

fmt: dev ## format and repair what ruff can
	@"$(BIN)/ruff" check --fix -q . ; "$(BIN)/ruff" format .

COMPILE := uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" --group build

lock: ## pin anew; ARGS=--upgrade takes newer versions
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH (pip install uv)"; exit 1; }
	$(COMPILE) $(ARGS) -o requirements.txt
	$(COMPILE) $(ARGS) --extra telegram -c requirements.txt -o requirements-telegram.txt
	$(COMPILE) $(ARGS) --extra board -c requirements-telegram.txt -o requirements-board.txt
	$(COMPILE) $(ARGS) --group dev --all-extras -c requirements-telegram.txt -c requirements-board.txt -o requirements-dev.txt

clean: ## remove the environment and all caches, no data
	rm -rf "$(VENV)" .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

runtime:
	@set -e; for list in $(or $(EXTRA:%=requirements-%.txt),requirements.txt); do .ci/venv "$(VENV)" "$$list"; done

dev:
	@.ci/venv "$(VENV)" requirements-dev.txt
