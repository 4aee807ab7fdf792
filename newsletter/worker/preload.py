"""Import everything that `wiring` imports late, for processes that live long.

A worker's children share what was imported before the fork (`signals.py` freezes it), and no task waits for an import.
"""

import email_validator  # noqa: F401 - email_address.py imports it when it reads an address

import newsletter.delivery.erasure
import newsletter.delivery.feedback.reports
import newsletter.delivery.gates.host_guard
import newsletter.delivery.ledger.plan
import newsletter.delivery.rate_limits.redis_token_buckets
import newsletter.delivery.rate_limits.token_buckets
import newsletter.delivery.routing.rules
import newsletter.delivery.send
import newsletter.delivery.sending.heartbeat
import newsletter.delivery.sending.pacing
import newsletter.editions.compose
import newsletter.editions.load_content
import newsletter.editions.rendering.renderer
import newsletter.feeds.fetching.http_client
import newsletter.lib.urls
import newsletter.matching.live_index.item_index
import newsletter.matching.match
import newsletter.matching.retention
import newsletter.matching.topics.reader_feedback
import newsletter.matching.topics.topics
import newsletter.providers.allowlist
import newsletter.providers.outbox
import newsletter.providers.sendgrid.provider
import newsletter.providers.smtp.provider
import newsletter.subscribers.email_address  # noqa: F401
