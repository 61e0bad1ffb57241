# Bodega. `make` alone lists the targets. It needs python3 (3.11 or newer) and make, nothing more:
# the first run installs the pinned packages into .venv (see packaging/README.md).

PYTHON ?= python3
ARGS ?=
SIMULATE_S ?= 300
BENCH ?=

IN := .venv/bin
DEMO_SET := @$(PYTHON) packaging/bootstrap.py demo
DEV_SET := @$(PYTHON) packaging/bootstrap.py dev

# `proto`, `packaging` and `systemd` are also import names of real packages: the root stays off sys.path.
export PYTHONSAFEPATH := 1
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help demo test test-long test-hardware test-rtsp check bench fmt protos protos-baseline diagrams lock dist clean

help: ## List the targets, one line each
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1=\2/p' Makefile | while IFS='=' read -r target purpose; do \
		printf '  make %-16s %s\n' "$$target" "$$purpose"; done

demo: ## Run a whole day in a minute: a broker, a centre, two nodes, faults, checks (ARGS="--orders 50 --keep")
	$(DEMO_SET)
	@$(IN)/bodega demo $(ARGS)

# Three workers on two cores: of three that run, one mostly waits for a process of its own.
test: ## Run all tests (ARGS="tests/proto -k promise" picks, ARGS="-n0" for one process)
	$(DEV_SET)
	@$(IN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: ## Run crashes and the shift at full length, and simulated worlds for as long as told (SIMULATE_S=3600)
	$(DEV_SET)
	@BODEGA_TEST_LONG=1 BODEGA_SIMULATE_S=$(SIMULATE_S) $(IN)/python -m pytest -n 2 --dist load --timeout 900 \
		tests/agent/store tests/simulator tests/system/test_sync_*.py tests/system/test_network_survives.py \
		tests/system/test_floor_shift.py tests/controlplane/api/test_http_any_request.py $(ARGS)

test-hardware: ## Test drivers on real kernel devices, in a virtual machine (ARGS="-k printer" picks, ARGS=--shell)
	$(DEV_SET)
	@$(IN)/python tests/hardware/run.py $(ARGS)

test-rtsp: ## Test the RTSP driver against gst-rtsp-server of Debian (half a gigabyte of packages; it says which)
	$(DEV_SET)
	@/usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' || { echo "test-rtsp: as root: apt-get \
	install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly" >&2; exit 69; }
	@BODEGA_GST_RTSP=1 $(IN)/python -m pytest tests/hardware/rtsp $(ARGS)

check: ## Lint, types, import contracts, protocol, dependencies (ARGS="ruff mypy" picks)
	$(DEV_SET)
	@$(IN)/python packaging/check.py $(ARGS)

bench: ## Measure; one JSON object a line on stdout (BENCH=agent picks)
	$(DEV_SET)
	@$(IN)/python tests/benchmarks/run.py $(BENCH)

fmt: ## Format the code and the protocol, and fix what the linter can
	$(DEV_SET)
	@$(IN)/ruff format .
	@$(IN)/ruff check --fix .
	@$(IN)/buf format -w proto

protos: ## Generate the code of proto/bodega/v1 again
	$(DEV_SET)
	@$(IN)/python packaging/protos.py

protos-baseline: ## Accept today's protocol as the one that later changes must not break
	$(DEV_SET)
	@$(IN)/buf build proto -o proto/baseline.binpb

diagrams: ## Print the state tables into the README files again
	$(DEV_SET)
	@$(IN)/python packaging/diagrams.py

lock: ## Compile the pinned requirements from pyproject.toml again (ARGS=--upgrade for newer versions)
	$(DEV_SET)
	@$(IN)/python packaging/lock.py $(ARGS)

dist: ## Build the wheel into dist/, for packaging/install.sh
	$(DEV_SET)
	@$(IN)/hatchling build -t wheel

clean: ## Remove what can be made again: .venv, caches, dist
	@rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
