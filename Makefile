.DEFAULT_GOAL := help
.PHONY: help run demo test docs timing faults faults-suite fuzz feedparser-corpus bench-feeds bench-poll bench-matching bench-preview bench-events bench-delivery bench-end-to-end bench-cli lint format lock

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 20

run: ## set up and start the whole service in one process
	./run.sh

demo: ## the service with sample feeds, topics and subscribers
	./run.sh demo

test: ## set up and pass all checks and tests
	./test.sh

TESTED = PYTHONPATH=. .venv-test/bin/python -m

faults-suite: ## the scenarios of faults at N=1,000, some minutes
	FAULTS=1 $(TESTED) pytest -n 4 --dist worksteal tests/faults

faults: ## the scenarios of crashes and faults at full size, about forty minutes (ONLY=S1,S4 SEED=7)
	$(TESTED) tests.faults $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

timing: ## does the time of an answer tell whether an address is subscribed? SAMPLES (1000) per class, some minutes
	$(TESTED) tests.security.timing

fuzz: ## read FUZZ (20000) feeds spoilt by chance (SEED repeats a run)
	$(TESTED) tests.feeds.fuzz

feedparser-corpus: ## read feedparser's own test feeds (needs a package index), and tell what differs
	$(TESTED) tests.feeds.feedparser_corpus

bench-feeds: ## one feed read and stored, beside feedparser
	$(TESTED) bench.feeds

bench-poll: ## a thousand feeds polled, bad ones among them, beside the usual poller
	ulimit -n 8192; $(TESTED) bench.poll

bench-events: ## signed events posted, stored once and followed, beside the usual handler
	$(TESTED) bench.events

bench-delivery: ## the ledger at a million deliveries, SMTP and SendGrid, each beside its peers (N=50000 for less)
	$(TESTED) bench.delivery --ledger $(if $(N),--people $(N))
	$(TESTED) bench.delivery --smtp
	$(TESTED) bench.delivery --sendgrid

bench-end-to-end: ## one alert to a million people, entry stored to all accepted (N=50000 for less)
	$(TESTED) bench.end_to_end $(if $(N),--people $(N))

bench-cli: ## how long help, status and lists take, beside `import django` (ROUNDS=10)
	$(TESTED) bench.cli $(if $(ROUNDS),--rounds $(ROUNDS))

lint: ## format and lint only
	.venv-test/bin/ruff format --check . && .venv-test/bin/ruff check . && .venv-test/bin/mypy && .venv-test/bin/lint-imports

docs: ## write the table of what is kept into docs/privacy.md
	DJANGO_SETTINGS_MODULE=newsletter.settings $(TESTED) scripts.write_docs

format: ## write the code as the formatter wants it
	.venv-test/bin/ruff format . && .venv-test/bin/ruff check --fix .

bench-matching: ## matching beside its peers, which go into an environment that is thrown away (ARGS="cold churn")
	python3 -m venv .venv-peers && .venv-peers/bin/pip install --quiet pyahocorasick hyperscan || true
	PEERS_PYTHON=.venv-peers/bin/python $(TESTED) bench.matching $(ARGS); status=$$?; rm -rf .venv-peers; exit $$status

bench-preview: ## the keyword preview on a running service, one at a time and twenty at once, beside its peers (ARGS="--items 6000")
	$(TESTED) bench.preview $(ARGS)

LOCK = uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-emit-index-url --only-binary :all: --no-strip-extras --no-header --quiet

lock: ## pin the newest allowed versions, with hashes (needs uv)
	$(LOCK) --upgrade -o requirements.lock
	$(LOCK) --group dev -c requirements.lock -o requirements-dev.lock
