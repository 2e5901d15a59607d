# `make demo` shows a live factory; `make test` proves that it works. Both need Python 3.11 or later only.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test faults lint bench screenshots requirements

# The newest python3 on the path that is new enough; `make PYTHON=/path/to/python3.12 …` names another.
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell $(p) -c \
	'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
BIN := .venv/bin
INSTALLED := .venv/installed

help:
	@echo "make demo [ARGS=…]   a live factory on this machine; make demo ARGS=--help says more"
	@echo "make test [ARGS=…]   the whole test suite; ARGS go to pytest"
	@echo "make faults          kills and cuts what ingest depends on, then checks that nothing was lost; takes minutes"
	@echo "make lint            ruff, mypy, and the check that no migration is missing"
	@echo "make bench           measures ingest, queries, the live feed and the plant page on this machine"
	@echo "make screenshots     takes the pictures in docs/screenshots anew"
	@echo "make requirements    compiles requirements/*.in to hashed locks"

$(INSTALLED): requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "InQube needs Python 3.11 or later, and no such python3 is on the PATH."; exit 1; }
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { echo \
		"$(PYTHON) cannot make virtual environments: install its venv package (Debian: apt install python3-venv)."; exit 1; }
	@test -x $(BIN)/python || { echo "Making a virtual environment in .venv"; $(PYTHON) -m venv .venv; }
	@echo "Installing the packages of requirements/dev.txt"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(INSTALLED)
	@exec $(BIN)/python manage.py demo $(ARGS)

# One more than processors: a quarter of the time a test waits for another process.
test: WORKERS = $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
test: $(INSTALLED)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# Most of the time they wait: three at once leave two processors something to do. `make test` runs the short ones too.
faults: $(INSTALLED)
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "" telemetry/tests/faults telemetry/tests/live/server $(ARGS)

# `makemigrations --check` without a database: it would wait for one to compare histories, which isn't the question.
define MIGRATIONS_CHECK
from django.conf import settings
from django.core.management import execute_from_command_line
del settings.DATABASES["default"]["OPTIONS"]["pool"]  # which would wait; a refused connection is only a warning
execute_from_command_line(["manage.py", "makemigrations", "--check", "--dry-run"])
endef
lint: export MIGRATIONS_CHECK := $(MIGRATIONS_CHECK)
lint: export DJANGO_SETTINGS_MODULE := inqube.settings
# Nothing here opens a connection; the addresses only have to be there.
lint: export DATABASE_URL := postgres://lint@127.0.0.1:1/lint
lint: export REDIS_URL := redis://127.0.0.1:1/0
lint: export MQTT_URL := mqtt://127.0.0.1:1
lint: export SECRET_KEY := only-for-lint-secret-key-0123456789-0123456789-0123456789
lint: export JWT_SIGNING_KEY := only-for-lint-jwt-signing-key-0123456789-0123456789
lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	@echo "$$MIGRATIONS_CHECK" | $(BIN)/python -W ignore::RuntimeWarning -

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.ingest $(ARGS)
	$(BIN)/python -m benchmarks.query --sensors 10
	$(BIN)/python -m benchmarks.page
	$(BIN)/python -m benchmarks.live

screenshots: $(INSTALLED)
	$(BIN)/python -m inqube.demo.screenshots $(ARGS)

COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet
requirements: $(INSTALLED)
	$(COMPILE) requirements/build.in --output-file requirements/build.txt
	$(COMPILE) requirements/base.in --output-file requirements/base.txt
	$(COMPILE) requirements/dev.in --output-file requirements/dev.txt
