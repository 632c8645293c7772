# make run     start the marketplace on this machine
# make test    every check, then every test; ARGS=tests/orders runs a part
# make test-external   the tests of databases and queue, against PostgreSQL 15 and Redis through TLS
# make check   lint, types, architecture, migrations, deployment
# make bench   measure against the peers
# make fmt     format the code
# make messages   collect what is to be translated
# make clean   remove .venv and .state, the demo's data with them

SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE := $(if $(MARKETPLACE_STATE),$(MARKETPLACE_STATE),.state)
TEST_STATE := $(STATE)/test
PYTEST := MARKETPLACE_STATE=$(TEST_STATE) $(BIN)/pytest

# A throwaway production, so that the deployment check sees what production would.
THROWAWAY_KEY := MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=
THROWAWAY_WALL_KEY := MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMw==
PRODUCTION := env -u MARKETPLACE_STATE MARKETPLACE_DEMO=0 \
	DATABASE_URL="postgresql://gate@db.example.com/marketplace?sslmode=verify-full" \
	DATABASE_CUSTOMER_URL="postgresql://customer@db.example.com/marketplace?sslmode=verify-full" \
	DATABASE_STAFF_URL="postgresql://staff@db.example.com/marketplace?sslmode=verify-full" \
	DATABASE_AUDITOR_URL="postgresql://auditor@db.example.com/marketplace?sslmode=verify-full" \
	DATABASE_WORKER_URL="postgresql://worker@db.example.com/marketplace?sslmode=verify-full" \
	DATABASE_OWNER_URL="postgresql://owner@db.example.com/marketplace?sslmode=verify-full" \
	VAULT_DATABASE_URL="postgresql://vault@keys.example.com/vault?sslmode=verify-full" \
	VAULT_DATABASE_OWNER_URL="postgresql://keeper@keys.example.com/vault?sslmode=verify-full" \
	REDIS_URL="rediss://cache.example.com:6379/0" EMAIL_URL="smtp+tls://mail.example.com:587" \
	SITE_URL="https://shop.example.com" ALLOWED_HOSTS="shop.example.com" AUDIT_ORIGIN="shop.example.com/log" \
	SECRET_KEY="throwaway-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ" \
	KEY_ENCRYPTION_KEYS="1:$(THROWAWAY_KEY)" BLIND_INDEX_KEY="$(THROWAWAY_KEY)" \
	AUDIT_SIGNING_KEY="$(THROWAWAY_KEY)" COMMITMENT_KEY="$(THROWAWAY_KEY)" WALL_SIGNING_KEY="$(THROWAWAY_WALL_KEY)"

.PHONY: run test check bench fmt messages clean help requirements programs test-external

help:
	@sed -n 's/^# //p' Makefile

run: $(VENV)/runtime.stamp
	@exec $(BIN)/python -m marketplace.supervisor

ifdef ARGS
test: $(VENV)/development.stamp
	@$(PYTEST) $(ARGS)
else
test: check programs
	@$(PYTEST) -n 2 --dist worksteal
	@$(MAKE) --no-print-directory missing
endif

# What talks to the databases and the queue, on servers as an operator runs them: PostgreSQL 15 and Redis through TLS.
EXTERNAL := tests/audit tests/orders tests/privacy/access tests/privacy/jobs tests/privacy/test_mail.py tests/privacy/retention \
	tests/privacy/sharing tests/privacy/vault tests/privacy/wall tests/rules/test_database_rights.py tests/rules/test_personal_models.py \
	tests/rules/test_wall.py tests/journeys/test_killed_workers.py

test-external: $(VENV)/development.stamp programs
	@TEST_SERVERS=external MARKETPLACE_STATE=$(STATE)/external $(BIN)/pytest -n 2 --dist worksteal $(or $(ARGS),$(EXTERNAL))

check: $(VENV)/development.stamp
	@echo "lint" && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check --diff .
	@echo "types" && $(BIN)/mypy --no-error-summary
	@echo "architecture" && $(BIN)/lint-imports > $(VENV)/architecture.log || { cat $(VENV)/architecture.log; false; }
	@echo "migrations" && MARKETPLACE_STATE=$(TEST_STATE) $(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0
	@echo "deployment" && $(PRODUCTION) $(BIN)/python -W error::SyntaxWarning manage.py check --deploy --fail-level WARNING
	@echo "promises" && MARKETPLACE_STATE=$(TEST_STATE) $(BIN)/python manage.py promises --check
	@echo "translations" && MARKETPLACE_STATE=$(TEST_STATE) $(BIN)/python manage.py translations --check
	@echo "data map" && MARKETPLACE_STATE=$(TEST_STATE) $(BIN)/python manage.py data_map --check
	@echo "interface" && MARKETPLACE_STATE=$(TEST_STATE) $(BIN)/python manage.py openapi --check

.PHONY: missing
missing:
	@MARKETPLACE_STATE=$(TEST_STATE) $(BIN)/python manage.py promises --missing

bench: $(VENV)/development.stamp
	@MARKETPLACE_STATE=$(STATE) $(BIN)/python -m benchmarks

fmt: $(VENV)/development.stamp
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .

messages: $(VENV)/development.stamp
	@MARKETPLACE_STATE=$(STATE) $(BIN)/python manage.py translations

clean:
	@test "$(STATE)" = .state || test ! -e "$(STATE)" || test -e "$(STATE)/secrets.json" || \
		{ echo "$(STATE) holds no demo: remove it yourself." >&2; exit 1; }
	@test ! -x $(BIN)/python || for state in $(STATE) $(TEST_STATE) $(wildcard $(TEST_STATE)/gw*) $(wildcard $(STATE)/external/gw*) $(STATE)/bench; do \
		$(BIN)/python -m marketplace.embedded remove "$$state" || exit 1; done
	@rm -rf $(VENV) "$(STATE)"

# Debian's browser and servers, where this may install them; without one the tests say which they leave out.
programs:
	@sh scripts/programs

# The environment: made once, and again when what is pinned changes.
$(VENV)/bin/python:
	@PYTHON="$(PYTHON)" sh scripts/environment $(VENV)

$(VENV)/runtime.stamp: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the marketplace runs on"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/development.stamp: requirements-dev.txt $(VENV)/runtime.stamp
	@echo "Installing what tests and checks need"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

PIP_COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

requirements: $(VENV)/development.stamp
	@CUSTOM_COMPILE_COMMAND="make requirements" $(PIP_COMPILE) -o requirements.txt requirements.in
	@CUSTOM_COMPILE_COMMAND="make requirements" $(PIP_COMPILE) -o requirements-dev.txt -c requirements.txt requirements-dev.in
