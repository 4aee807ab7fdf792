"""The alias packs that topics use. Each version is stored in the database, so that a topic stays the same until it is edited."""

import difflib
from collections.abc import Collection, Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from newsletter.matching.aliases import pack_files
from newsletter.matching.aliases.groups import AliasGroup, alias_table, contains_spelling, without_spellings
from newsletter.matching.aliases.pack_files import AliasPackFile
from newsletter.matching.query.compiled import Aliases
from newsletter.models import AliasPack, TopicRevision


def available_packs() -> tuple[str, ...]:
    """The names of all packs."""
    return pack_files.pack_names(settings.PACKS_DIR)


def current_packs(wanted: Collection[str]) -> dict[str, AliasPackFile]:
    """These packs as their files are now.

    Raises:
        ValueError: there is no such pack, it cannot be used, or it changed without a new version. The message says what to do.
    """
    unknown = sorted(set(wanted) - set(available_packs()))
    if unknown:
        raise ValueError(f"there is no pack {unknown[0]}: there are {', '.join(available_packs())}")
    packs = {name: pack_files.read_pack(settings.PACKS_DIR / f"{name}.yaml") for name in sorted(set(wanted))}
    for stored in AliasPack.objects.filter(name__in=packs):
        pack = packs[stored.name]
        if stored.version == pack.version and stored.groups != pack_files.to_document(pack):
            raise ValueError(f"{stored.name}.yaml changed and its version is still {pack.version}: raise the version")
    return packs


def store_packs(packs: Iterable[AliasPackFile], *, now: datetime) -> None:
    """Store these packs as they are, for revisions to refer to. Repeatable."""
    rows = [
        AliasPack(name=pack.name, version=pack.version, groups=pack_files.to_document(pack), kept_at=now)
        for pack in packs
    ]
    AliasPack.objects.bulk_create(rows, ignore_conflicts=True)


def groups_by_revision(revisions: Iterable[TopicRevision]) -> dict[int, tuple[AliasGroup, ...]]:
    """Revision id → the groups whose spellings its bare words match, without those it switched off."""
    revisions = list(revisions)
    stored = _stored_groups({pack for revision in revisions for pack in revision.packs.items()})
    return {
        revision.id: without_spellings(
            (group for pack in sorted(revision.packs.items()) for group in stored.get(pack, ())), revision.without
        )
        for revision in revisions
    }


def aliases_by_revision(revisions: Iterable[TopicRevision]) -> dict[int, Aliases]:
    """Revision id → the aliases of its bare words. Revisions with equal choices share one table."""
    revisions = list(revisions)
    groups = groups_by_revision(revisions)
    tables: dict[tuple[tuple[tuple[str, int], ...], tuple[str, ...]], Aliases] = {}
    by_revision = {}
    for revision in revisions:
        choice = tuple(sorted(revision.packs.items())), tuple(revision.without)
        if choice not in tables:
            tables[choice] = alias_table(groups[revision.id])
        by_revision[revision.id] = tables[choice]
    return by_revision


def unknown_spelling(off: Iterable[str], groups: Collection[AliasGroup]) -> str | None:
    """Report the first spelling in `off` that no group has. Returns None if all are there."""
    everything = [spelling for group in groups for spelling in group.everything]
    for wanted in off:
        if not contains_spelling(everything, wanted):
            near = difflib.get_close_matches(wanted, everything, n=3, cutoff=0.5)
            advice = f"did you mean {' or '.join(near)}?" if near else "see 'newsletter topics packs'"
            return f"no pack of this topic has the spelling “{wanted}”: {advice}"
    return None


def pack_versions() -> dict[str, int]:
    """Pack → its current version, of the packs that can be used."""
    versions = {}
    for name in available_packs():
        try:
            versions[name] = pack_files.read_pack(settings.PACKS_DIR / f"{name}.yaml").version
        except pack_files.InvalidPack:  # `doctor` and `topics packs` report it
            continue
    return versions


def _stored_groups(wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[AliasGroup, ...]]:
    if not wanted:
        return {}
    chosen = Q()
    for name, version in wanted:
        chosen |= Q(name=name, version=version)
    rows = AliasPack.objects.filter(chosen)
    return {(row.name, row.version): pack_files.from_document(row.name, row.groups) for row in rows}
