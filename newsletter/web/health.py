"""Is the process there, can it do its work, and the figures: for machines that watch the service."""

import hmac
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from newsletter import wiring
from newsletter.config.config import METRICS_LISTENER
from newsletter.lib import db
from newsletter.models import Gate, ProviderGate, Pulse
from newsletter.web.metrics import registry

#: Without a look at the tables for so long, nothing leaves.
LATEST_LOOK = timedelta(seconds=120)
_migrated = False


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Can the work be done? 200 or 503, with the reasons in words.

    Paused sending is a decision and no fault: pages must go on answering, so it is told as a `notice` beside 200.
    """
    reasons: list[str] = []
    notices: list[str] = []
    try:
        if not _is_migrated():
            reasons.append("the database is not migrated: run 'newsletter migrate'")
        else:
            gate = Gate.objects.first()
            if gate is None:
                reasons.append("the keys were not checked yet: start a worker, or run 'newsletter migrate'")
            elif not gate.sending_open:
                notices.append("sending is paused")
            elif ProviderGate.objects.filter(paused_by__isnull=False).exists():
                notices.append("a provider is paused")
            beat = Pulse.objects.filter(name="tick").first()
            if beat is not None and beat.at < db.now() - LATEST_LOOK:
                reasons.append("no worker looked at the tables for two minutes: is one running?")
    except DatabaseError:
        reasons.append("the database does not answer")
    state = {"ready": not reasons, "reasons": reasons, "notices": notices}
    return JsonResponse(state, status=503 if reasons else 200)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus: through NEWSLETTER_METRICS_BIND, or with NEWSLETTER_METRICS_TOKEN. For others no such page.

    Whoever could watch them would see whether a sign-up with somebody's address makes a new mail.
    """
    if not (METRICS_LISTENER in request.META or _holds_token(request)):
        return render(request, "public/error.html.j2", {"what": "missing"}, status=404)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _holds_token(request: HttpRequest) -> bool:
    """Whether the request brings the token (RFC 6750); compared in a time that tells nothing of it."""
    token = wiring.config().metrics_token
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return bool(token) and scheme.lower() == "bearer" and same


def _is_migrated() -> bool:
    """A database that was migrated stays so: asked until it is."""
    global _migrated
    if _migrated:
        connection.ensure_connection()
        return True
    executor = MigrationExecutor(connection)
    _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated
