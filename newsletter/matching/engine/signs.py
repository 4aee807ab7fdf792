"""Signs: what the presence of a word in an item means, as integers, which are quick to collect in sets.

What a sign means depends on its range:

    from 0                  a slot: the query in it is matched
    -1                      nothing (`NO_MATCH`)
    -2 downwards            a term is present, or may be: `term(index)`
    -2^40 downwards         a sequence of words must be looked for: `lookup(index)`
    -2^50 downwards         the words around a pair must be compared with a longer phrase: `phrase(index)`
"""

#: The signs of one key. Mostly there is one, which is kept without a tuple.
Signs = int | tuple[int, ...]

NO_MATCH = -1
#: Slots of queries that were added after the index was built; below it, a slot is the topic's id.
FIRST_LATER_SLOT = 1 << 61
#: Signs up to this one are those of phrases.
FIRST_PHRASE = -(1 << 50)
_FIRST_TERM = -2
_FIRST_LOOKUP = -(1 << 40)


def term(index: int) -> int:
    """The sign of the term with this index."""
    return _FIRST_TERM - index


def term_index(sign: int) -> int:
    """The inverse of `term`."""
    return _FIRST_TERM - sign


def lookup(index: int) -> int:
    """The sign that tells to look for the sequence with this index."""
    return _FIRST_LOOKUP - index


def phrase(index: int) -> int:
    """The sign that tells to compare with the phrase with this index."""
    return FIRST_PHRASE - index


def phrase_index(sign: int) -> int:
    """The inverse of `phrase`."""
    return FIRST_PHRASE - sign


def merge_signs(left: Signs, right: Signs) -> Signs:
    """All signs of both, each once."""
    if left in (NO_MATCH, right):
        return right
    if right == NO_MATCH:
        return left
    left_signs = (left,) if isinstance(left, int) else left
    right_signs = (right,) if isinstance(right, int) else right
    return tuple(dict.fromkeys((*left_signs, *right_signs)))


def add_signs(to: dict[str, Signs], key: str, more: Signs) -> None:
    """Add signs to those of a key."""
    to[key] = merge_signs(to.get(key, NO_MATCH), more)


def flatten(signs: set[Signs] | set[Signs | None]) -> set[int]:
    """The same set, changed in place, with single signs instead of tuples and without None."""
    signs.discard(None)
    tuples = [each for each in signs if each.__class__ is tuple]  # isinstance() is slower for those that are none
    signs.difference_update(tuples)
    signs.update(*tuples)
    return signs  # type: ignore[return-value]
