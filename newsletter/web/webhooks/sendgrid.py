"""SendGrid posts its events here: verified over the raw bytes, applied as one set, answered at once."""

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from newsletter import delivery_wiring, wiring
from newsletter.delivery.feedback.apply import apply_reports
from newsletter.lib import clock, db
from newsletter.providers.sendgrid import webhook
from newsletter.providers.sendgrid.webhook import LARGEST, Unverified

log = structlog.get_logger()
_STATUS = {"unsigned": 401, "forged": 403, "old": 403, "garbled": 400}


@csrf_exempt
def events(request: HttpRequest) -> HttpResponse:
    """204 when all of it is stored; anything else makes SendGrid post the same again, for a day, which does no harm.

    Without a key there is no such page. What is not signed is not parsed, and leaves no row.
    """
    keys = wiring.config().sendgrid_webhook_keys
    if not keys:
        return render(request, "public/error.html.j2", {"what": "missing"}, status=404)
    if request.method != "POST":
        return _answer(405, "post events here", {"Allow": "POST"})
    raw = _body(request)
    if raw is None:
        return _answer(413, f"more than {LARGEST} bytes")
    signature = request.headers.get("X-Twilio-Email-Event-Webhook-Signature", "")
    timestamp = request.headers.get("X-Twilio-Email-Event-Webhook-Timestamp", "")
    result = webhook.read(raw, signature=signature, timestamp=timestamp, keys=keys, now=clock.utcnow())
    if isinstance(result, Unverified):
        log.warning("events_not_believed", reason=result.why, bytes=len(raw))
        return _answer(_STATUS[result.why], result.why)
    try:
        done = apply_reports(result.reports, delivery_wiring.report_context(), provider="sendgrid", now=db.now())
    except DatabaseError as error:
        log.error("events_not_stored", error=type(error).__name__)
        return _answer(503, "not stored, post it again")
    log.info(
        "events",
        events=done.new,
        repeated=done.repeated,
        strangers=done.unknown_mails + result.left_out,
        proved=done.proved,
        suppressed=done.suppressed,
    )
    return HttpResponse(status=204)


def _body(request: HttpRequest) -> bytes | None:
    """The raw body, or None when it is too large; nothing of that is read then."""
    result = request.META.get("CONTENT_LENGTH") or "0"
    if not result.isdecimal() or int(result) > LARGEST:
        return None
    raw: bytes = request.read(LARGEST + 1)
    return raw if len(raw) <= LARGEST else None


def _answer(status: int, words: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)
