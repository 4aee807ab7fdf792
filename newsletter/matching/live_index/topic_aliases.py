"""Alias packs as topics use them: each version is kept in the database, so that a topic means the same until it is edited."""

import difflib
from collections.abc import Collection, Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from newsletter.matching.aliases import pack_files
from newsletter.matching.aliases.groups import AliasGroup, alias_table, same_spelling, without_spellings
from newsletter.matching.aliases.pack_files import AliasPackFile
from newsletter.matching.query.compiled import Aliases
from newsletter.models import AliasPack, TopicRevision


def available_packs() -> tuple[str, ...]:
    """The names of the packs that there are."""
    return pack_files.pack_names(settings.PACKS_DIR)


def current_packs(wanted: Collection[str]) -> dict[str, AliasPackFile]:
    """These packs as their files are now.

    Raises:
        ValueError: there is no such pack, it cannot be used, or it changed and its version did not. Says what to do.
    """
    unknown = sorted(set(wanted) - set(available_packs()))
    if unknown:
        raise ValueError(f"there is no pack {unknown[0]}: there are {', '.join(available_packs())}")
    found = {name: pack_files.read_pack(settings.PACKS_DIR / f"{name}.yaml") for name in sorted(set(wanted))}
    for kept in AliasPack.objects.filter(name__in=found):
        pack = found[kept.name]
        if kept.version == pack.version and kept.groups != pack_files.to_document(pack):
            raise ValueError(f"{kept.name}.yaml changed and its version is still {pack.version}: raise the version")
    return found


def store_packs(found: Iterable[AliasPackFile], *, now: datetime) -> None:
    """Keep these packs as they are, for revisions to point at. Repeatable."""
    rows = [
        AliasPack(name=pack.name, version=pack.version, groups=pack_files.to_document(pack), kept_at=now)
        for pack in found
    ]
    AliasPack.objects.bulk_create(rows, ignore_conflicts=True)


def groups_by_revision(revisions: Iterable[TopicRevision]) -> dict[int, tuple[AliasGroup, ...]]:
    """Revision id → the groups whose spellings its bare words meet, without those it switched off."""
    revisions = list(revisions)
    kept = _stored_groups({(name, version) for one in revisions for name, version in one.packs.items()})
    return {
        one.id: without_spellings(
            (group for pair in sorted(one.packs.items()) for group in kept.get(pair, ())), one.without
        )
        for one in revisions
    }


def aliases_by_revision(revisions: Iterable[TopicRevision]) -> dict[int, Aliases]:
    """Revision id → the aliases of its bare words, for the matcher; one table for all revisions that chose alike."""
    revisions = list(revisions)
    groups = groups_by_revision(revisions)
    tables: dict[tuple[tuple[tuple[str, int], ...], tuple[str, ...]], Aliases] = {}
    found = {}
    for one in revisions:
        choice = tuple(sorted(one.packs.items())), tuple(one.without)
        if choice not in tables:
            tables[choice] = alias_table(groups[one.id])
        found[one.id] = tables[choice]
    return found


def unknown_spelling(off: Iterable[str], groups: Collection[AliasGroup]) -> str | None:
    """What to say of the first spelling in `off` that no group has; None when all are there."""
    everything = [spelling for group in groups for spelling in group.everything]
    for wanted in off:
        if not any(same_spelling(wanted, one) for one in everything):
            near = difflib.get_close_matches(wanted, everything, n=3, cutoff=0.5)
            advice = f"did you mean {' or '.join(near)}?" if near else "see 'newsletter topics packs'"
            return f"no pack of this topic has the spelling “{wanted}”: {advice}"
    return None


def pack_versions() -> dict[str, int]:
    """Pack → its version now, of the packs that can be used."""
    found = {}
    for name in available_packs():
        try:
            found[name] = pack_files.read_pack(settings.PACKS_DIR / f"{name}.yaml").version
        except pack_files.InvalidPack:  # `doctor` and `topics packs` tell
            continue
    return found


def _stored_groups(wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[AliasGroup, ...]]:
    if not wanted:
        return {}
    chosen = Q()
    for name, version in wanted:
        chosen |= Q(name=name, version=version)
    rows = AliasPack.objects.filter(chosen)
    return {(row.name, row.version): pack_files.from_document(row.name, row.groups) for row in rows}
