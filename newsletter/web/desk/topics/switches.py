"""The alias packs of a topic as the workshop shows them: a switch for each pack, and for each spelling that the query finds."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from newsletter.matching.aliases.pack_files import AliasPackFile
from newsletter.matching.query.compiled import alias_key
from newsletter.matching.topics.reader_feedback import NoisySpelling
from newsletter.matching.workshop import proposals
from newsletter.matching.workshop.proposals import Proposal
from newsletter.matching.workshop.spellings_in_use import GroupInUse, SpellingInUse


@dataclass(frozen=True)
class SpellingSwitch:
    """A spelling with the number of items it is in (None: not counted), and what readers said of it (None: nothing)."""

    spelling: SpellingInUse
    items: int | None
    noisy: NoisySpelling | None


@dataclass(frozen=True)
class GroupSwitches:
    """The spellings of one name."""

    name: str
    spellings: tuple[SpellingSwitch, ...]


@dataclass(frozen=True)
class PackSwitches:
    """A pack that there is."""

    name: str
    title: str
    version: int
    on: bool
    groups: tuple[GroupSwitches, ...]

    @property
    def found(self) -> int:
        """How many other spellings the query finds in it and are on."""
        return sum(one.spelling.on and not one.spelling.typed for group in self.groups for one in group.spellings)


def pack_switches(
    proposal: Proposal,
    off: Collection[str],
    *,
    packs: Mapping[str, AliasPackFile],
    counts: Mapping[str, int] | None = None,
    noisy: Iterable[NoisySpelling] = (),
) -> tuple[PackSwitches, ...]:
    """All packs, those in use first. `counts` has the items by the key of a spelling; None: they are not known."""
    in_use = proposals.spelling_switches(proposal, off, packs)
    told = {alias_key(one.spelling): one for one in noisy}
    made = [
        PackSwitches(
            pack.name,
            pack.title,
            pack.version,
            pack.name in proposal.packs,
            tuple(_group(group, counts, told) for group in in_use if group.pack == pack.name),
        )
        for pack in packs.values()
    ]
    return tuple(sorted(made, key=lambda pack: (not pack.groups, not pack.on)))


def _group(group: GroupInUse, counts: Mapping[str, int] | None, told: Mapping[str, NoisySpelling]) -> GroupSwitches:
    def switch(spelling: SpellingInUse) -> SpellingSwitch:
        key = alias_key(spelling.spelling)
        # a stored match says nothing of spellings that are off
        items = None if counts is None else counts.get(key, 0 if spelling.on else None)
        return SpellingSwitch(spelling, items, told.get(key))

    return GroupSwitches(group.name, tuple(map(switch, group.spellings)))


def all_spellings(switches: Iterable[PackSwitches]) -> list[str]:
    """The spellings that have a switch."""
    return [one.spelling.spelling for pack in switches for group in pack.groups for one in group.spellings]
