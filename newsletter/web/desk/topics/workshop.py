"""The workshop: a topic as it is, and as it would become; previewed as often as wanted, and saved as a revision."""

from collections.abc import Iterable, Mapping

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from newsletter.lib.refused import Refused
from newsletter.matching.topics import lookup, reader_feedback
from newsletter.matching.topics.limits import DAYS, MANY_PER_DAY
from newsletter.matching.topics.revisions import TopicDraft, draft_of
from newsletter.matching.workshop import proposals, spellings_in_use
from newsletter.matching.workshop.proposals import NoChange, Proposal
from newsletter.matching.workshop.revision_diff import RevisionDiff, revision_diff
from newsletter.matching.workshop.topic_matches import newest_matches
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done, page
from newsletter.web.desk.topics import previews
from newsletter.web.desk.topics.forms import WorkshopForm
from newsletter.web.desk.topics.found import FoundTopic, found_topic
from newsletter.web.desk.topics.previews import ShownPreview
from newsletter.web.desk.topics.switches import PackSwitches, all_spellings, pack_switches

_NEWEST = 5


@require_http_methods(["GET", "HEAD", "POST"])
def topic(request: HttpRequest, topic_id: int) -> HttpResponse:
    """The page of a topic. POST with `do` as preview changes nothing; as save it makes the next revision."""
    found = found_topic(topic_id)
    if request.method != "POST":
        return _as_it_is(request, found)
    form = WorkshopForm(request.POST, packs=proposals.usable_packs())
    draft = _read(form, found)
    if draft is None:
        return show(request, found, form)
    if request.POST.get("do") == "save":
        return _save(request, found, form, draft)
    return show(request, found, form, preview=_preview(found, form, draft))


def _as_it_is(request: HttpRequest, found: FoundTopic) -> HttpResponse:
    live = found.live
    initial = {
        "query": live.query,
        "description": found.topic.description,
        "described": found.topic.description,
        "packs": sorted(live.packs),
        "revision": live.n,
    }
    return show(request, found, WorkshopForm(None, packs=proposals.usable_packs(), initial=initial))


def _read(form: WorkshopForm, found: FoundTopic) -> TopicDraft | NoChange | None:
    """The draft of what was typed; None if something is wrong, which then stands beside its field."""
    if not form.is_valid():
        return None
    add_problems(form)
    if form.errors:
        return None
    draft = proposals.changed_draft(found.name, found.live, form.proposal())
    if isinstance(draft, Refused):
        form.add_error("packs", draft.reason)
        return None
    return draft


def add_problems(form: WorkshopForm) -> None:
    """Say beside the fields what the room refuses of a query and a description."""
    problem = proposals.query_problem(form.cleaned_data["query"])
    if problem is not None:
        form.add_error("query", gettext("Column %(column)d: %(hint)s") % vars(problem))
    if refusal := lookup.description_problem(form.cleaned_data["description"]):
        form.add_error("description", refusal.reason)


def _preview(found: FoundTopic, form: WorkshopForm, draft: TopicDraft | NoChange) -> ShownPreview:
    before = draft_of(found.live)
    after = draft if isinstance(draft, TopicDraft) else before
    spellings = all_spellings(pack_switches(form.proposal(), found.live.without, packs=form.known_packs))
    return previews.shown_preview(after, before, spellings=spellings, followers=found.counted, now=found.now)


def _save(request: HttpRequest, found: FoundTopic, form: WorkshopForm, draft: TopicDraft | NoChange) -> HttpResponse:
    values, description = form.cleaned_data, " ".join(form.cleaned_data["description"].split())
    moved = values["revision"] != found.live.n or values["described"] != found.topic.description
    if moved:
        return _conflict(request, found, form, draft)
    if isinstance(draft, NoChange) and description == found.topic.description:
        form.add_error("query", gettext("Nothing is changed: the topic already looks like this."))
        return show(request, found, form)
    if isinstance(draft, TopicDraft) and not values["many"]:
        preview = _preview(found, form, draft)
        if preview.many:
            return show(request, found, form, preview=preview)
    saved = proposals.save(found.name, draft, description, now=found.now, actor=actor_of(request))
    if isinstance(saved, Refused):  # somebody was faster, between the check above and now
        return _conflict(request, found_topic(found.topic.id), form, draft)
    if isinstance(draft, NoChange):
        return done(request, gettext("The description is saved."), _address(found))
    sentence = gettext(
        "Saved as revision %(n)d. New items are matched by it at once. Stored items follow within minutes and are not mailed."
    )
    return done(request, sentence % {"n": saved.revision}, _address(found))


def _conflict(
    request: HttpRequest, found: FoundTopic, form: WorkshopForm, draft: TopicDraft | NoChange
) -> HttpResponse:
    """Somebody else saved meanwhile: what was typed stays, and what differs from theirs is shown."""
    theirs = (found.live.query or "", found.live.packs, found.live.without)
    mine = (draft.query, draft.versions, draft.off) if isinstance(draft, TopicDraft) else theirs
    return show(request, found, form, theirs=revision_diff(theirs, mine))


def show(
    request: HttpRequest,
    found: FoundTopic | None,
    form: WorkshopForm,
    *,
    preview: ShownPreview | None = None,
    theirs: RevisionDiff | None = None,
    off: tuple[str, ...] = (),
    choices: Mapping[str, object] | None = None,
) -> HttpResponse:
    """The workshop with what is in the form; for a new topic without `found`, but with `choices` to start from.

    `off`: spellings that are off in a new topic. `theirs`: how what was typed differs from what somebody saved meanwhile.
    """
    typed = _typed(form)
    noisy = reader_feedback.noisy_spellings(found.topic.id) if found else []
    counts = preview.spellings if preview else (_stored(found) if found and not form.is_bound else None)
    problem = proposals.query_problem(typed.query) if form.is_bound else None
    off = tuple(found.live.without) if found else off
    packs = pack_switches(typed, off, packs=form.known_packs, counts=counts, noisy=noisy)
    context = {
        "found": found,
        "form": form,
        "problem": problem,
        "facts": proposals.query_facts(typed.query),
        "packs": packs,
        "kept": _kept(typed, packs),
        "noisy": noisy,
        "preview": preview,
        "theirs": theirs,
        "newest": newest_matches(found.topic.id, size=_NEWEST, withdrawn=False).rows
        if found and preview is None
        else (),
        "days": DAYS,
        "many_per_day": MANY_PER_DAY,
        # after a conflict the form starts from what the others saved
        "based_on": (form["revision"].value() or 0) if found is None or theirs is None else found.live.n,
        "described": form["described"].value() if found is None or theirs is None else found.topic.description,
        **(choices or {}),
    }
    template = "desk/topics/topic.html.j2" if found else "desk/topics/new.html.j2"
    return page(request, template, context)


def _kept(typed: Proposal, packs: Iterable[PackSwitches]) -> list[tuple[str, bool]]:
    """Switches that were on the page and are not now, with whether they were ticked: they are not lost by a typing error."""
    shown = all_spellings(packs)
    return [(word, word in typed.ticked) for word in typed.shown if word not in shown]


def _stored(found: FoundTopic) -> dict[str, int]:
    return dict(spellings_in_use.stored_counts(found.topic.id, now=found.now, days=DAYS))


def _typed(form: WorkshopForm) -> Proposal:
    """What is in the form, whether or not it can be used."""

    def words(name: str) -> tuple[str, ...]:
        return tuple(form[name].value() or ())

    return Proposal(form["query"].value() or "", words("packs"), words("shown"), words("ticked"))


def _address(found: FoundTopic) -> str:
    return reverse("desk_topics_topic", args=[found.topic.id])
