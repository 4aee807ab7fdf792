"""Many compiled queries in, one structure out that finds in one pass over an item which of them it may meet."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from newsletter.matching.needles import Automaton, Table
from newsletter.matching.opened import Opened
from newsletter.matching.sought import Kind, Plan, Sought, Way
from newsletter.matching.tree import And, Not, Or, Tree, mapped, meets, terms
from newsletter.matching.vocabulary import BareWords, Groups, Numbers, add, both
from newsletter.matching.words import needle


class Core:
    """The queries of many topics; each term once for all that share it. Read-only, so threads may share it."""

    def __init__(self, plans: Mapping[int, Plan], *, automaton: bool, remember: bool = False) -> None:
        """`automaton`: with one, rows of words are found in one pass (for many queries); without, by their first word,
        which takes no time to build (for few). `remember` what each word of a text came to: for most of the queries."""
        numbers: dict[Sought, int] = {}
        #: Topic id → its query, with the numbers of its terms.
        self._queries: dict[int, Tree[int]] = {
            topic_id: mapped(plan, lambda sought: numbers.setdefault(sought, len(numbers)))
            for topic_id, plan in plans.items()
        }
        self._sought = list(numbers)
        self._unsure = frozenset(number for number, sought in enumerate(self._sought) if not sought.sure)
        signs = self._signs(plans, numbers)
        rows: dict[str, Numbers] = {}
        bare: dict[str, Numbers] = {}
        fields: dict[str, dict[str, Numbers]] = defaultdict(dict)
        for number, sought in enumerate(self._sought):
            inside = sought.within in ("", "title")
            for way in sought.ways:
                match way.kind:
                    case Kind.WORD:
                        pass  # by their stems, which depend on the text's language
                    case Kind.BARE:
                        add(bare if inside else fields["bare " + sought.within], needle(way), signs[number])
                    case _:
                        add(rows if inside else fields[sought.within], needle(way), signs[number])
        self._groups = Groups()
        self._words = BareWords(_word_signs(self._sought, signs), self._groups, remember=remember)
        packed = self._groups.packed(rows)
        self._rows = Automaton(packed) if automaton and rows else Table(packed)
        self._bare = Table(self._groups.packed(bare))
        self._fields = {name: Table(self._groups.packed(needles)) for name, needles in fields.items()}

    def _signs(self, plans: Mapping[int, Plan], numbers: Mapping[Sought, int]) -> list[Numbers]:
        """What finding a term says: ~topic for each topic that looks for nothing else, and its own number if others do."""
        signs: list[Numbers] = [()] * len(numbers)
        #: By the number of a term: topics of which it is the rarest.
        self._anchored: dict[int, Numbers] = {}
        for topic_id, plan in plans.items():
            if isinstance(plan, Sought) and plan.sure:
                signs[numbers[plan]] = both(signs[numbers[plan]], ~topic_id)
                continue
            for sought in terms(plan):
                signs[numbers[sought]] = both(signs[numbers[sought]], numbers[sought])
            for sought in set(_anchor(plan)[1]):
                add(self._anchored, numbers[sought], topic_id)
        return signs

    def __len__(self) -> int:
        return len(self._queries)

    def plans(self, hidden: Collection[int] = ()) -> dict[int, Plan]:
        """Topic id → compiled query, without the hidden ones."""
        return {topic_id: self.plan(topic_id) for topic_id in self._queries if topic_id not in hidden}

    def plan(self, topic_id: int) -> Plan:
        """A compiled query."""
        return mapped(self._queries[topic_id], self._sought.__getitem__)

    def knows(self, topic_ids: Collection[int]) -> frozenset[int]:
        """Those of the topics that are in here."""
        return frozenset(one for one in topic_ids if one in self._queries)

    def meet(self, opened: Opened) -> list[int]:
        """The topics that an item meets."""
        found = self._find(opened)
        doubtful = found & self._unsure
        looked_at: dict[int, bool] = {}

        def looked_closer(number: int) -> bool:
            if number not in doubtful:
                return number in found
            known = looked_at.get(number)
            if known is None:
                known = looked_at[number] = bool(opened.hits(self._sought[number]))
            return known

        met = looked_closer if doubtful else found.__contains__
        candidates: set[int] = set()
        for number in self._anchored.keys() & found:
            topic_ids = self._anchored[number]
            candidates.update((topic_ids,) if isinstance(topic_ids, int) else topic_ids)
        queries = self._queries
        at_once = [~sign for sign in found if sign < 0]
        return at_once + [topic_id for topic_id in candidates if meets(queries[topic_id], met)]

    def _find(self, opened: Opened) -> set[int]:
        """The signs of all terms that may be met."""
        body = opened.body
        found = self._words.found(body)
        found.update(self._rows(body.haystack, body.words))
        if self._bare:
            found.update(self._bare(body.bare_haystack, body.bare_words))
        for name, table in self._fields.items():
            bare, _, field = name.rpartition(" ")
            if field in opened.fields:
                words = opened.fields[field]
                if bare:
                    found.update(table(words.bare_haystack, words.bare_words))
                else:
                    found.update(table(words.haystack, words.words))
        self._groups.unfold(found)
        return found


def _word_signs(all_sought: list[Sought], signs: list[Numbers]) -> list[tuple[str, Numbers]]:
    return [
        (way.keys[0], signs[number])
        for number, sought in enumerate(all_sought)
        if sought.within in ("", "title")
        for way in sought.ways
        if way.kind is Kind.WORD
    ]


def _anchor(plan: Plan) -> tuple[int, list[Sought]]:
    """Terms of which one is in every item that meets the query, and how rare they are: the longer, the rarer. -1: none."""
    match plan:
        case And(parts):
            return max((_anchor(part) for part in parts), key=lambda one: one[0])
        case Or(parts):
            each = [_anchor(part) for part in parts]
            rarity = min(one[0] for one in each)
            return (-1, []) if rarity < 0 else (rarity, [sought for one in each for sought in one[1]])
        case Not():
            return -1, []
        case Sought(_, ways, within):
            return 0 if within in ("lang", "feed") else min(map(_length, ways)), [plan]


def _length(way: Way) -> int:
    return sum(map(len, way.keys)) + 4 * len(way.keys)
