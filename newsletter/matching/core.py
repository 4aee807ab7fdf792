"""Many compiled queries in, one structure out that finds in one pass over an item which of them it may meet.

Every query has a slot, counted up, and every term of those that must be evaluated a number. What finding a word or a row of
words says is a sign: a slot (that query is met), a term (-2 and below), or a row that the word belongs to and that must be
looked for (`_ROW` and above).
"""

import threading
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from newsletter.matching.anchors import rarest
from newsletter.matching.needles import Automaton, Table
from newsletter.matching.opened import Opened
from newsletter.matching.scripts import unspaced
from newsletter.matching.sought import Kind, Plan, Sought, Way, packed, unpacked
from newsletter.matching.tree import Or, Tree, mapped, meets
from newsletter.matching.vocabulary import DULL, Lexicon, Signs, add, both
from newsletter.matching.words import needle

_FIRST_TERM = -2
_ROW = 1 << 40
#: From so many rows on an automaton is faster than to look for each where its longest word is met.
_MANY_ROWS = 500
#: Of those that came later so many; or an eighth of what is in the automaton, which must be made anew to take them in.
_MANY_LATER = 64
#: A letter of a script without spaces is in so many more texts than a word.
_COMMONER = 20


class Core:
    """The queries of many topics; each term once for all that share it. Only ever added to: threads may read while one does."""

    def __init__(self, plans: Mapping[int, Plan]) -> None:
        self._lock = threading.Lock()
        #: How often it changed.
        self.stamp = 0
        #: By slot: topic, and query.
        self.topics = array("q")
        self._plans: list[Plan | str] = []
        #: Slots that are no more → the stamp from which on.
        self.ended: dict[int, int] = {}
        self._slot_of: dict[int, int] = {}
        #: Slot → what must be evaluated of its query, with the signs of its terms.
        self._trees: dict[int, Tree[int]] = {}
        self._terms: dict[Sought, int] = {}
        self._sought: list[Sought] = []
        self._unsure: set[int] = set()
        #: Sign of a term → slots of which it is the rarest.
        self._anchored: dict[int, Signs] = {}
        self._lexicon = Lexicon()
        #: Rows that are looked for one by one; "": an automaton does, by now.
        self._rows: list[tuple[str, Signs]] = []
        self._waiting: dict[int, tuple[Way, Signs]] = {}
        self._bare_rows = False
        self._fields: dict[str, Table] = {}
        #: Of the rows at first, and of those that came later.
        self._automata: tuple[Automaton, ...] = ()
        self._later: dict[str, Signs] = {}
        self._wanted: list[tuple[Kind, str, int]] = []
        self._new_rows: dict[Way, Signs] = {}
        self._take(plans)
        self._first = len(self.topics)

    @property
    def later(self) -> int:
        """How many queries came after the first ones."""
        return len(self.topics) - self._first

    def change(self, stamp: int, added: Mapping[int, Plan], removed: Collection[int]) -> bool:
        """Take topics in that are new or changed, and out what is gone; False if that was not the last stamp."""
        with self._lock:
            if stamp != self.stamp:
                return False
            for topic_id in {*added, *removed}:
                if topic_id in self._slot_of:
                    self.ended[self._slot_of.pop(topic_id)] = stamp + 1
            self._take(added)
            self.stamp = stamp + 1
            return True

    def plan(self, slot: int) -> Plan:
        """A compiled query."""
        return unpacked(self._plans[slot])

    def meet(self, opened: Opened) -> list[int]:
        """The slots of all queries that an item meets."""
        said = self._said(opened)
        slots = [sign for sign in said if sign >= 0]
        if len(slots) < len(said):
            anchored, trees = self._anchored, self._trees
            candidates: set[int] = set()
            for sign in said.difference(slots) & anchored.keys():
                which = anchored[sign]
                candidates.update((which,) if isinstance(which, int) else which)
            candidates -= said
            met = self._closer(said, opened)
            slots += [slot for slot in candidates if meets(trees[slot], met)]
        return slots

    def _said(self, opened: Opened) -> set[int]:
        """The slots of queries that are met for certain, and the terms that may be."""
        body = opened.body
        said = _singly(self._lexicon.said(body))
        if self._rows:
            for sign in [one for one in said if one >= _ROW]:
                said.discard(sign)
                row, says = self._rows[sign - _ROW]
                if row and (row in body.haystack or (self._bare_rows and row in body.bare_haystack)):
                    said.update((says,) if isinstance(says, int) else says)
        for automaton in self._automata:  # after the rows: one that is not looked for there any more is in here by now
            said |= _singly(automaton(body.haystack))
        if self._fields:
            said |= _singly(set(self._in_fields(opened)))
        return said

    def _closer(self, said: set[int], opened: Opened) -> Callable[[int], bool]:
        """What tells of a term whether it is met: those of which finding the words is not enough are looked at."""
        doubtful = said & self._unsure
        if not doubtful:
            return said.__contains__
        looked_at: dict[int, bool] = {}

        def met(sign: int) -> bool:
            if sign not in doubtful:
                return sign in said
            known = looked_at.get(sign)
            if known is None:
                known = looked_at[sign] = bool(opened.hits(self._sought[_FIRST_TERM - sign]))
            return known

        return met

    def _in_fields(self, opened: Opened) -> Iterator[Signs]:
        for name, table in list(self._fields.items()):
            bare, _, field = name.rpartition(" ")
            if field in opened.fields:
                words = opened.fields[field]
                if bare:
                    yield from table(words.bare_haystack, words.bare_words)
                else:
                    yield from table(words.haystack, words.words)

    def _take(self, plans: Mapping[int, Plan]) -> None:
        """Give queries slots. What makes them be found comes last."""
        for topic_id, plan in plans.items():
            slot = self._slot_of[topic_id] = len(self.topics)
            self.topics.append(topic_id)
            self._plans.append(packed(plan))
            at_once, rest = _split(plan)
            for sought in at_once:
                self._want(sought, slot)
            if rest is not None:
                self._trees[slot] = mapped(rest, self._term)
                for sought in set(rarest(rest)[1]):
                    sign = self._terms[sought]
                    self._anchored[sign] = both(self._anchored.get(sign, DULL), slot)
        self._settle_rows()
        self._lexicon.add(self._wanted)
        self._wanted = []

    def _term(self, sought: Sought) -> int:
        """The sign of a term."""
        known = self._terms.get(sought)
        if known is None:
            known = self._terms[sought] = _FIRST_TERM - len(self._sought)
            self._sought.append(sought)
            if not sought.sure:
                self._unsure.add(known)
            self._want(sought, known)
        return known

    def _want(self, sought: Sought, sign: int) -> None:
        """Let a term say something from now on."""
        for way in sought.ways:
            if sought.within not in ("", "title"):
                name = f"bare {sought.within}" if way.kind is Kind.BARE else sought.within
                self._fields.setdefault(name, Table()).add(needle(way), sign)
            elif len(way.keys) == 1:
                self._wanted.append((way.kind, way.keys[0], sign))
            else:
                row = Way(way.kind, way.keys)
                self._new_rows[row] = both(self._new_rows.get(row, DULL), sign)

    def _settle_rows(self) -> None:
        """Rows are looked for where their longest word is met; by an automaton once there are many."""
        rows, self._new_rows = self._new_rows, {}
        plain = {row: signs for row, signs in rows.items() if row.kind is not Kind.BARE}
        waiting = [row for row, _ in self._waiting.values()]
        many = max(_MANY_LATER, len(self._later) // 8) if self._automata else _MANY_ROWS
        if _weight(waiting) + _weight(plain) > many:
            self._absorb((*self._waiting.values(), *plain.items()))
            rows = {row: signs for row, signs in rows.items() if row.kind is Kind.BARE}
        for row, signs in rows.items():
            self._wanted.append(_watched(row, len(self._rows)))
            if row.kind is Kind.BARE:
                self._bare_rows = True
            else:
                self._waiting[len(self._rows)] = row, signs
            self._rows.append((needle(row), signs))

    def _absorb(self, rows: Iterable[tuple[Way, Signs]]) -> None:
        """Put these rows into the automaton of those that came later, or into the first if there is none."""
        needles = dict(self._later)
        for row, signs in rows:
            add(needles, needle(row), signs)
        if self._automata:
            self._later = needles
        self._automata = (*self._automata[:1], Automaton(needles))
        self._lexicon.drop(_watched(row, number) for number, (row, _) in self._waiting.items())
        for number in self._waiting:
            self._rows[number] = "", DULL
        self._waiting = {}


def _watched(row: Way, number: int) -> tuple[Kind, str, int]:
    """The word of a row that says to look for it: the longest."""
    whole = row.keys[:-1] if row.kind is Kind.START else row.keys
    return Kind.BARE if row.kind is Kind.BARE else Kind.ROW, max(whole, key=len), _ROW + number


def _weight(rows: Collection[Way]) -> int:
    return len(rows) + _COMMONER * sum(unspaced(row.keys[0]) for row in rows)


def _singly(said: set[Signs]) -> set[int]:
    """The same set, with the signs themselves in place of those that come in several."""
    several = [one for one in said if one.__class__ is tuple]  # isinstance() would take longer where it is not one
    said.difference_update(several)
    said.update(*several)
    return said  # type: ignore[return-value]


def _split(plan: Plan) -> tuple[list[Sought], Plan | None]:
    """Terms of which each is enough for the query, and what else must be evaluated of it."""
    match plan:
        case Sought():
            return ([plan], None) if plan.sure else ([], plan)
        case Or(parts):
            enough = [part for part in parts if isinstance(part, Sought) and part.sure]
            rest = tuple(part for part in parts if not (isinstance(part, Sought) and part.sure))
            return enough, Or(rest) if len(rest) > 1 else next(iter(rest), None)
        case _:
            return [], plan
