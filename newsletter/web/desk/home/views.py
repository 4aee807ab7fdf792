"""The first page of the desk: is everything all right, what needs somebody, and today in numbers."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from newsletter.delivery.feedback import reputation
from newsletter.delivery.ledger.waiting import waiting_mails
from newsletter.lib.mail.provider_ids import name_of
from newsletter.models import Feed
from newsletter.status.attention import Attention, read_attention
from newsletter.status.days import last_days
from newsletter.status.next_digests import next_digests
from newsletter.status.problem import Problem, ProblemKind, Severity
from newsletter.status.problems import problems
from newsletter.status.set_aside import held_mailings, held_topics
from newsletter.status.slowest_alert import slowest_alert
from newsletter.web.desk.access import admin_of
from newsletter.web.desk.clock import midnight
from newsletter.web.desk.home.day_charts import day_charts
from newsletter.web.desk.home.first_steps import first_steps
from newsletter.web.desk.home.problem_rows import problem_rows
from newsletter.web.desk.mailings.words import mailing_title
from newsletter.web.desk.page import page
from newsletter.web.desk.routed import routed


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What needs somebody, and today in numbers."""
    admin = admin_of(request)
    found = read_attention(remembered=True)
    now = found.now
    days = last_days(timezone.get_current_timezone(), now=now)
    steps = first_steps(found, admin)
    found_problems = [one for one in problems(found) if one.severity is not Severity.MISSING and not _is_hold(one)]
    context = {
        "rows": problem_rows(found_problems, admin),
        "stopped": any(one.severity is Severity.STOPPED for one in found_problems),
        "steps": steps if not all(step.done for step in steps) else [],
        "held": held_topics(),
        "held_mailings": [(row, mailing_title(row.key, row.created_at)) for row in held_mailings()],
        "today": days[-1],
        "first_day": f"{days[0].day.day} {days[0].day:%b}",
        "charts": day_charts(days),
        "digests": next_digests(now=now),
        "slowest": slowest_alert(since=midnight(timezone.localdate(now))),
        "has_feeds": found.has_feeds,
        "feeds_well": _feeds_well(found),
        "feeds": sum(found.feeds.counts.values()) - found.feeds.counts.get(Feed.State.BY_HAND, 0),
        "workers": found.alive,
        "reputation": [(name_of(one.provider), one) for one in found.reputation],
        "limits": reputation,
        "paused_by": found.sending_paused_by,
        "waiting": waiting_mails(),
        "topic_url": lambda topic_id: routed("desk_topics_release", {"topic_id": topic_id}),
    }
    return page(request, "desk/home/home.html.j2", context)


def _is_hold(problem: Problem) -> bool:
    """A topic on hold, which has a line of its own on this page."""
    return problem.kind is ProblemKind.TOPICS and problem.severity is Severity.LOOK


def _feeds_well(found: Attention) -> int:
    """Feeds that are read as they should be."""
    return sum(found.feeds.counts.get(word, 0) for word in ("well", "due", "new"))
