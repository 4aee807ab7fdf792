"""What a new installation needs before its first mail: three steps, ticked off as they are done."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsletter.models import Admin
from newsletter.status.attention import Attention
from newsletter.web.desk.routed import routed


@dataclass(frozen=True)
class FirstStep:
    """A step. `url` is empty where this admin cannot do it on a page."""

    title: str
    text: str
    done: bool
    url: str
    label: str


def first_steps(found: Attention, admin: Admin) -> list[FirstStep]:
    """The three steps; what is done stays ticked until all are."""
    return [
        FirstStep(
            _("Add a feed"),
            _("Paste the address of a site or feed. You see its newest articles before anything is saved."),
            found.has_feeds,
            routed("desk_feeds_add", admin=admin),
            _("Add a feed"),
        ),
        FirstStep(
            _("Make a topic"),
            _("A topic is a query with a name. People follow it, and get the articles that match it."),
            found.has_topics,
            routed("desk_topics_new", admin=admin),
            _("Make a topic"),
        ),
        FirstStep(
            _("Subscribe yourself"),
            _("Fill in the page that your subscribers will see, and confirm by the mail that you get."),
            found.has_subscribers,
            routed("subscribe"),
            _("Open the page"),
        ),
    ]
