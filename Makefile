# Millstream's two commands are `make run` and `make test`; `make` alone lists the rest.
.DEFAULT_GOAL := help
.PHONY: help run test check demo-reset lock bench bench-promise bench-floor bench-trace bench-solver simulate soak shell messages setup setup-dev clean
SHELL := /bin/sh

# The Python that makes .venv; the lock files are resolved for 3.11.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))) python3)
BIN := .venv/bin
WITH_SERVICES := $(BIN)/python -m tools.with_services
PYTEST_ARGS ?=
BENCH_ARGS ?=
SIMULATE_ARGS ?=
SOAK := tests/mes/test_sixteen_clients.py tests/mes/test_factory_stateful.py tests/erp/test_stateful.py

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

run: setup ## install, start everything and show address and logins; PORT=8000
	@exec $(BIN)/python -m tools.run

# On two cores: a process that drives browser and workers leaves half a core idle. What is compiled
# once is kept, also where the environment says otherwise: a hundred processes load the same files.
test: setup-dev ## all tests, against a real PostgreSQL, Redis and worker; PYTEST_ARGS="-k promise"
	@exec env PYTHONDONTWRITEBYTECODE= $(WITH_SERVICES) python -m pytest -n 3 --dist worksteal $(PYTEST_ARGS)

# Tests of chance for many minutes, and sixteen clients for a whole one.
soak: setup-dev ## long runs of the tests of chance and of parallel clients
	@LONG_RUN=1 exec $(WITH_SERVICES) python -m pytest -n 0 -s -p no:randomly $(SOAK) $(PYTEST_ARGS)

check: setup-dev ## lint, format, types, architecture, migrations, settings, locks, translations
	@exec $(WITH_SERVICES) python -m tools.check

simulate: setup ## play a day of the demo factory beside `make run`; SIMULATE_ARGS="--speed 48 --seed 7"
	@DEMO_MODE=1 exec $(WITH_SERVICES) python manage.py simulate $(SIMULATE_ARGS)

demo-reset: setup ## throw the data of var/ away and load the demo factory again
	@exec $(BIN)/python -m tools.demo_reset

bench: setup ## measure promise check, conversion and the whole chain
	@DEMO_MODE=1 exec $(WITH_SERVICES) python manage.py bench

bench-promise: setup ## measure the promise check only
	@DEMO_MODE=1 exec $(WITH_SERVICES) python manage.py bench promise

bench-floor: setup ## measure floor, store and MRP; BENCH_ARGS="reports events sign_in serials mrp"
	@DEMO_MODE=1 exec $(WITH_SERVICES) python manage.py bench_floor $(BENCH_ARGS)

bench-trace: setup ## measure the genealogy ledger; BENCH_ARGS="--units 100000"
	@DEMO_MODE=1 exec $(WITH_SERVICES) python manage.py bench_trace $(BENCH_ARGS)

bench-solver: setup ## measure the solver next to PyJobShop; BENCH_ARGS="--set mk --seconds 20"
	@DEMO_MODE=1 exec $(BIN)/python manage.py bench_solver $(BENCH_ARGS)

shell: setup ## a Python shell with Django, PostgreSQL and Redis
	@DEMO_MODE=1 exec $(WITH_SERVICES) python manage.py shell

messages: setup-dev ## collect the texts to translate into locale/ and compile the translations
	@exec $(BIN)/python -m tools.messages

lock: setup-dev ## resolve pyproject.toml again into the lock files (needs uv), package.json likewise
	@exec $(BIN)/python -m tools.lock

setup: ## install what `make run` needs, inside the checkout
	@$(PYTHON) -m tools.bootstrap

setup-dev: ## install what `make test` and `make check` need as well
	@$(PYTHON) -m tools.bootstrap --dev

clean: ## remove what can be made again (not the data in var/)
	rm -rf .venv node_modules var/static var/static.stamp .pytest_cache .mypy_cache .ruff_cache \
	  .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -path ./var -prune -o -name '*.mo' -exec rm -f {} +
