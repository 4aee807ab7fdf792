"""A new topic: empty, as a copy of another one, or from a template of the alias packs."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching.aliases import groups, pack_files
from newsletter.matching.aliases.pack_files import AliasPackFile
from newsletter.matching.topics import lookup, topics
from newsletter.matching.topics.revisions import TopicDraft, live_revision
from newsletter.matching.workshop import proposals
from newsletter.models import Topic
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done
from newsletter.web.desk.topics import previews
from newsletter.web.desk.topics.forms import WorkshopForm
from newsletter.web.desk.topics.switches import all_spellings, pack_switches
from newsletter.web.desk.topics.workshop import add_problems, show
from newsletter.web.typed_number import typed_number


@dataclass(frozen=True)
class StartingPoint:
    """What a new topic starts from: its values in the form, and spellings that are off."""

    values: Mapping[str, object]
    off: tuple[str, ...] = ()


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The workshop of a topic that is not there yet. `from` in the address is what it starts from."""
    packs = proposals.usable_packs()
    if request.method != "POST":
        chosen = request.GET.get("from", "")
        start = _start(chosen, tuple(packs))
        form = WorkshopForm(None, packs=packs, initial={**start.values, "revision": 0})
        return show(request, None, form, off=start.off, choices=_choices(packs, chosen))
    form = WorkshopForm(request.POST, packs=packs)
    saving = request.POST.get("do") == "save"
    draft = _read(form, saving=saving)
    if draft is None:
        return show(request, None, form, choices=_choices(form.known_packs))
    preview = None
    if not saving or not form.cleaned_data["many"]:
        spellings = all_spellings(pack_switches(form.proposal(), (), packs=packs))
        preview = previews.shown_preview(draft, None, spellings=spellings, followers=None, now=db.now())
    if not saving or (preview is not None and preview.many):
        return show(request, None, form, preview=preview, choices=_choices(form.known_packs))
    return _save(request, form, draft)


def _read(form: WorkshopForm, *, saving: bool) -> TopicDraft | None:
    if not form.is_valid():
        return None
    add_problems(form)
    if saving and (refusal := lookup.name_problem(" ".join(form.cleaned_data["name"].split()))):
        form.add_error("name", refusal.reason)
    if form.errors:
        return None
    draft = proposals.new_draft(form.proposal())
    if isinstance(draft, Refused):
        form.add_error("packs", draft.reason)
        return None
    return draft


def _save(request: HttpRequest, form: WorkshopForm, draft: TopicDraft) -> HttpResponse:
    values = form.cleaned_data
    made = topics.add_draft(
        values["name"],
        draft,
        now=db.now(),
        actor=actor_of(request),
        description=" ".join(values["description"].split()),
    )
    if isinstance(made, Refused):
        form.add_error("name", made.reason)
        return show(request, None, form, choices=_choices(form.known_packs))
    sentence = gettext("The topic is there. New items that match are mailed to its followers; stored ones are not.")
    return done(request, sentence, reverse("desk_topics_topic", args=[made.topic_id]))


def _start(chosen: str, packs: tuple[str, ...]) -> StartingPoint:
    """The values of a starting point: `copy:12` or `pack:peoples:uyghur`; of anything else, an empty topic."""
    kind, _, rest = chosen.partition(":")
    if kind == "pack":
        try:
            group = pack_files.find_group(rest, settings.PACKS_DIR)
        except ValueError:
            return StartingPoint({"packs": packs})
        return StartingPoint({"name": group.name, "query": groups.group_query(group), "packs": packs})
    if kind == "copy" and (number := typed_number(rest)):
        copied = Topic.objects.filter(id=number, kind=Topic.Kind.CURATED).first()
        if copied is not None:
            live = live_revision(copied)
            name = gettext("%(name)s (copy)") % {"name": copied.name}
            values = {"name": name, "query": live.query, "packs": sorted(live.packs), "description": copied.description}
            return StartingPoint(values, tuple(live.without))
    return StartingPoint({"packs": packs})


def _choices(packs: Mapping[str, AliasPackFile], chosen: str = "") -> dict[str, object]:
    """What a new topic can start from, for the menu."""
    rows = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE).order_by("name")
    templates = [
        (pack.title, [(f"pack:{pack.name}:{group.id}", _named(group)) for group in pack.groups])
        for pack in packs.values()
    ]
    copies = [(f"copy:{topic_id}", name) for topic_id, name in rows.values_list("id", "name")]
    return {"chosen": chosen, "templates": templates, "copies": copies}


def _named(group: groups.AliasGroup) -> str:
    count = len(set(group.everything))
    words = ngettext("%(name)s, with %(count)d spelling", "%(name)s, with %(count)d spellings", count)
    return words % {"name": group.name, "count": count}
