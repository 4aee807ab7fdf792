"""Adding a feed: a URL, then what is there with what it would mail, then the button that saves it."""

from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from newsletter import feed_wiring
from newsletter.feed_wiring import AnnounceChoice, FeedPreview
from newsletter.feeds.catalogue.new_feed import KnownFeed, NewFeed
from newsletter.feeds.catalogue.probe import SeveralFeeds
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.models import Feed
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.feeds.lookups import look
from newsletter.web.desk.page import done, page, refused
from newsletter.web.filters import sentence
from newsletter.web.typed_number import shown_moved
from newsletter.worker import tasks


class UrlForm(forms.Form):
    """Where the feed is, or the page of its site."""

    url = forms.CharField(max_length=2000)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["url"].error_messages["required"] = gettext("Paste the address of a feed or of a web page.")


class SaveForm(UrlForm):
    """What of the feed's present entries may be mailed. `shown` is the number of people that the page named for each choice."""

    announce = forms.ChoiceField(choices=[(value, value) for value in Feed.Announce.values])
    title = forms.CharField(max_length=500, required=False)
    seen_at = forms.CharField(required=False)

    @property
    def first_seen(self) -> datetime | None:
        """When somebody looked at it first."""
        try:
            moment = parse_datetime(self.cleaned_data.get("seen_at", ""))
        except ValueError:
            return None
        return moment if moment is not None and moment.tzinfo is not None else None


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Ask for a URL; on POST show what is there, or with `announce` add it. Nothing is saved before that."""
    if request.method != "POST":
        return _ask(request, UrlForm())
    saving = "announce" in request.POST
    form = SaveForm(request.POST) if saving else UrlForm(request.POST)
    if not form.is_valid():
        return _ask(request, form, status=422)
    now = db.now()
    preview = look(partial(feed_wiring.preview_feed, form.cleaned_data["url"], now=now))
    if isinstance(preview, KnownFeed) and saving:
        return _known(request, preview)
    if isinstance(preview, Refused):
        return _ask(request, form, answer=preview, status=422)
    if not isinstance(form, SaveForm):
        return _show(request, preview, seen_at=now)
    return _save(request, form, preview, now)


def _save(request: HttpRequest, form: SaveForm, preview: FeedPreview, now: datetime) -> HttpResponse:
    seen_at, asked = form.first_seen or now, form.cleaned_data
    choice = preview.choice(asked["announce"])
    before = request.POST.get(f"shown-{asked['announce']}", "")
    if choice is None or _moved(before, choice):
        return _show(request, preview, seen_at=seen_at, form=form, before=before, status=409)
    wanted = NewFeed(asked["announce"], asked["title"])
    added = feed_wiring.add_previewed(preview, wanted, seen_at=seen_at, now=now, actor=actor_of(request))
    if isinstance(added, KnownFeed):
        return _known(request, added)
    if isinstance(added, Refused):
        return _ask(request, form, answer=added, status=422)
    tasks.publish("refresh_due")
    text = gettext("“%(feed)s” is added. It is read now for the first time.") % {"feed": added.title or added.url}
    return done(request, text, reverse("desk_feeds_feed", args=[added.feed_id]))


def _known(request: HttpRequest, known: KnownFeed) -> HttpResponse:
    """The button was pressed twice, or somebody else was faster."""
    text = gettext("This feed is in the list already: nothing was added.")
    return refused(request, text, reverse("desk_feeds_feed", args=[known.feed_id]))


def _ask(request: HttpRequest, form: forms.Form, *, answer: Refused | None = None, status: int = 200) -> HttpResponse:
    """The page with the one field; `answer` is why the URL in it leads to no feed that can be added."""
    context = {
        "form": form,
        "reason": sentence(answer.reason) if answer else "",
        "known": answer.feed_id if isinstance(answer, KnownFeed) else None,
        "several": answer.urls if isinstance(answer, SeveralFeeds) else (),
    }
    return page(request, "desk/feeds/add.html.j2", context, status=status)


def _show(
    request: HttpRequest,
    preview: FeedPreview,
    *,
    seen_at: datetime,
    form: SaveForm | None = None,
    before: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page with what was found. `before`: the number that was shown for the choice, and has moved."""
    context = {
        "preview": preview,
        "feed": preview.feed,
        "seen_at": seen_at.isoformat(),
        "chosen": form.cleaned_data["announce"] if form else "none",
        "title": form.cleaned_data["title"] if form else "",
        "before": before if form else "",
    }
    return page(request, "desk/feeds/found.html.j2", context, status=status)


def _moved(before: str, choice: AnnounceChoice) -> bool:
    """Whether the number that the page showed holds no more; nobody is mailed `none`."""
    return choice.announce != "none" and shown_moved(before, choice.people)
