"""The history of a topic: its revisions, what changed in each, and the way back."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching.topics import revisions
from newsletter.matching.topics.revisions import Revision
from newsletter.matching.workshop.revision_diff import RevisionDiff, between
from newsletter.web.desk.access import actor_of, admin_of
from newsletter.web.desk.audit.lines import history as lines_of
from newsletter.web.desk.page import done, page, refused
from newsletter.web.desk.topics.found import curated_topic, found_topic
from newsletter.web.typed_number import typed_number


@require_safe
def history(request: HttpRequest, topic_id: int) -> HttpResponse:
    """All revisions, newest first. `from` and `to` in the address compare two of them."""
    found = found_topic(topic_id)
    rows = revisions.history_of(topic_id)
    before, after = (_chosen(rows, request.GET.get(name, "")) for name in ("from", "to"))
    compared = between(before, after) if before and after else None
    context = {
        "found": found,
        "rows": _with_changes(rows),
        "before": before,
        "after": after,
        "compared": compared,
        "lines": lines_of("topic", topic_id, admin_of(request)),
    }
    return page(request, "desk/topics/history.html.j2", context)


@require_POST
def revert(request: HttpRequest, topic_id: int) -> HttpResponse:
    """Restore an earlier revision, as a new one."""
    topic, address = curated_topic(topic_id), reverse("desk_topics_history", args=[topic_id])
    n = typed_number(request.POST.get("n")) or 0
    draft = revisions.restored_draft(topic.name or "", n)
    if isinstance(draft, Refused):
        return refused(request, draft.reason, address)
    saved = revisions.save_draft(topic.name or "", draft, now=db.now(), actor=actor_of(request))
    if isinstance(saved, Refused):
        return refused(request, saved.reason, address)
    sentence = gettext("Revision %(n)d looks like revision %(old)d. Stored items are matched by it within minutes.")
    return done(request, sentence % {"n": saved.revision, "old": n}, reverse("desk_topics_topic", args=[topic_id]))


def _chosen(rows: Sequence[Revision], typed: str) -> Revision | None:
    return next((row for row in rows if str(row.n) == typed), None)


def _with_changes(rows: Sequence[Revision]) -> list[tuple[Revision, RevisionDiff | None]]:
    """Each revision with what it changed; None for the first one."""
    return [(row, between(older, row) if older else None) for row, older in zip(rows, [*rows[1:], None], strict=True)]
