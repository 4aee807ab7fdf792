.DEFAULT_GOAL := help
.PHONY: help run demo test test-fast test-one coverage format lint shell migrations docs screenshot messages lock \
	properties fuzz api-fuzz feedparser-corpus timing attack faults-suite faults bench bench-feeds bench-poll bench-events bench-matching \
	bench-preview bench-delivery bench-end-to-end bench-cli bench-desk

IN_VENV = PYTHONPATH=. DJANGO_SETTINGS_MODULE=newsletter.settings .venv-test/bin/python -m
SPREAD = -n auto --dist worksteal

help: ## list the targets
	@awk -F ':.*## ' '/^## /{print "\n" substr($$0, 4)} /^[a-z-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## Start it

run: ## set up and start the whole service in one process
	./run.sh

demo: ## start the service with sample feeds, topics and subscribers
	./run.sh demo

## Change it

shell: | .venv-test ## start Python with Django and the models, on the data directory of the environment
	$(IN_VENV) django shell

migrations: | .venv-test ## write the migration for changed models (N=what_it_does)
	$(IN_VENV) django makemigrations newsletter $(if $(N),--name $(N))

format: | .venv-test ## format the code and fix what the linter can fix
	.venv-test/bin/ruff format . && .venv-test/bin/ruff check --fix .

docs: | .venv-test ## write the tables of the docs that come from elsewhere, and wrap prose at 100 characters
	$(IN_VENV) scripts.write_docs
	$(IN_VENV) scripts.wrap_docs

screenshot: | .venv-test ## take the README's screenshot from a demo (needs Chromium)
	$(IN_VENV) scripts.screenshot

messages: | .venv-test ## extract the text of pages and mails for translators
	$(IN_VENV) scripts.extract_messages

lock: ## pin the newest allowed versions, with hashes (needs uv)
	$(LOCK) --upgrade -o requirements.lock
	$(LOCK) --group dev -c requirements.lock -o requirements-dev.lock

LOCK = uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-emit-index-url --only-binary :all: --no-strip-extras --no-header --quiet

## Test it

test: ## set up, then run all checks and tests
	./test.sh

test-fast: | .venv-test ## unit tests without database and services; about a minute
	EXAMPLES=0.2 $(IN_VENV) pytest -m unit $(SPREAD)

test-one: | .venv-test ## run a folder, file or test (T="tests/delivery -k barrier")
	$(IN_VENV) pytest $(T)

coverage: | .venv-test ## list lines that the tests in T (all: at least 92 % must be reached; ten minutes) do not reach; also htmlcov/index.html
	$(IN_VENV) pytest $(SPREAD) --cov=newsletter --cov-report=term:skip-covered --cov-report=html $(if $(T),$(T),--cov-fail-under=92)

lint: | .venv-test ## check format, lint, types and imports
	.venv-test/bin/ruff format --check . && .venv-test/bin/ruff check . && .venv-test/bin/mypy && PYTHONPATH=. .venv-test/bin/lint-imports

properties: | .venv-test ## property tests with EXAMPLES (20) times as many examples
	EXAMPLES=$(or $(EXAMPLES),20) $(IN_VENV) pytest -m hypothesis $(SPREAD)

fuzz: | .venv-test ## read FUZZ (20000) damaged feeds (SEED repeats a run)
	$(IN_VENV) tests.feeds.fuzz

api-fuzz: | .venv-test ## send API_EXAMPLES (100) requests to each operation of the API, by its description
	API_EXAMPLES=$(or $(API_EXAMPLES),100) $(IN_VENV) pytest tests/web/api/test_fuzz.py

feedparser-corpus: | .venv-test ## read feedparser's own test feeds and show the differences (needs a package index)
	$(IN_VENV) tests.feeds.feedparser_corpus

timing: | .venv-test ## measure whether answer times reveal who is subscribed (SAMPLES=1000 per class; some minutes)
	$(IN_VENV) tests.security.timing

attack: | .venv-test ## run eight attacks against the running service over real sockets; three minutes
	$(IN_VENV) tests.security.attack

faults-suite: | .venv-test ## crashes and faults with 1,000 mails each; some minutes
	FAULTS=1 $(IN_VENV) pytest -n 4 --dist worksteal tests/faults

faults: | .venv-test ## crashes and faults at full size; about forty minutes (ONLY=S1,S4 SEED=7)
	$(IN_VENV) tests.faults $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

## Measure it

bench: ## list the benchmarks (most take ARGS="…"; ARGS=--help lists them)
	@$(MAKE) --no-print-directory help | grep ' bench-'

bench-feeds: | .venv-test ## read and store a feed, compared with feedparser
	$(IN_VENV) bench.feeds $(ARGS)

bench-poll: | .venv-test ## poll a thousand feeds, some of them bad, compared with a usual poller
	ulimit -n 8192; $(IN_VENV) bench.poll $(ARGS)

bench-events: | .venv-test ## receive signed events and store each once, compared with a usual handler
	$(IN_VENV) bench.events $(ARGS)

bench-matching: | .venv-test ## match items, compared with other libraries, installed for this run only (ARGS="cold churn")
	python3 -m venv .venv-peers && .venv-peers/bin/pip install --quiet pyahocorasick hyperscan || true
	PEERS_PYTHON=.venv-peers/bin/python $(IN_VENV) bench.matching $(ARGS); status=$$?; rm -rf .venv-peers; exit $$status

bench-preview: | .venv-test ## preview keywords, one at a time and twenty at once, compared with others (ARGS="--items 6000")
	$(IN_VENV) bench.preview $(ARGS)

bench-delivery: | .venv-test ## a ledger of a million deliveries, SMTP and SendGrid, compared with others (N=50000 for less)
	$(IN_VENV) bench.delivery --ledger $(if $(N),--people $(N))
	$(IN_VENV) bench.delivery --smtp
	$(IN_VENV) bench.delivery --sendgrid

bench-end-to-end: | .venv-test ## send one alert to a million subscribers, from the stored entry on (N=50000 for less)
	$(IN_VENV) bench.end_to_end $(if $(N),--people $(N))

bench-cli: | .venv-test ## time help, status and lists, compared with `import django` (ARGS="--rounds 20")
	$(IN_VENV) bench.cli $(ARGS)

bench-desk: | .venv-test ## time every page of the desk with a million deliveries on PostgreSQL, compared with a usual list
	$(IN_VENV) bench.desk $(ARGS)

.venv-test: # the first run of test.sh makes it
	./test.sh --version
