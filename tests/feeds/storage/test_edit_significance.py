"""What an edit means, and which item is which after it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from random import Random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from newsletter.feeds.citations.source_line import CitedSource
from newsletter.feeds.storage import item_pairing
from newsletter.feeds.storage.edit_significance import (
    Insignificant,
    Significant,
    classify_edit,
    meaning_hash,
    same_markup,
)
from newsletter.feeds.storage.item_pairing import Pair, is_known, known_shape, pair
from tests.hang_guard import hang_guard

WIRE = CitedSource("Coastal Wire", date(2026, 11, 5), "https://wire.example/a/1")


@dataclass(frozen=True)
class Text:
    """An item's wording."""

    text: str = "The port is closed."
    title: str = "A port closes"
    cited: tuple[CitedSource, ...] = (WIRE,)
    key: bytes = b"key"


def texts(before: str, after: str) -> tuple[Text, Text]:
    return Text(before), Text(after)


def titles(before: str, after: str, text: str = "The port is closed.") -> tuple[Text, Text]:
    return Text(text, before), Text(text, after)


def sources(before: tuple[CitedSource, ...], after: tuple[CitedSource, ...]) -> tuple[Text, Text]:
    return Text(cited=before), Text(cited=after)


SILENT = {
    "nothing": texts("The port is closed.", "The port is closed."),
    "curly quotes": texts('He called it an "old test".', "He called it an “old test”."),
    "guillemets": texts("Il dit «non» à tous.", 'Il dit "non" à tous.'),
    "apostrophes": texts("The maker's rivals sell it.", "The maker’s rivals sell it."),
    "dashes": texts("A port - closed - is no port.", "A port — closed — is no port."),
    "ellipsis": texts("He waited...", "He waited…"),
    "white space": texts("The port  is\nclosed.", "The port is closed."),
    "hard spaces": texts("5 000 ships", "5\u00a0000\u202fships"),
    "soft hyphen": texts("The government said so.", "The govern\u00adment said so."),
    "line breaks become paragraphs": texts("One thing.\nAnother thing.", "One thing.\n\nAnother thing."),
    "comma": texts("The port which is old is closed.", "The port, which is old, is closed."),
    "full stop": texts("The port is closed", "The port is closed."),
    "case of a letter": texts("The Port is closed.", "The port is closed."),
    "headline in capitals": titles("A port closes in winter", "A Port Closes In Winter"),
    "full width": texts("ＡＢＣ 港口关闭", "ABC 港口关闭"),
    "Chinese punctuation": texts("港口关闭,直到春天.", "港口关闭，直到春天。"),
    "Chinese quotation marks": texts("他说“不”。", "他说「不」。"),
    "Arabic vowel signs": texts("أغلق المِيناء", "أغلق الميناء"),
    "Arabic stretching": texts("الميناء مغلق", "المينـــاء مغلق"),
    "typo, letter missing": texts("The goverment said so.", "The government said so."),
    "typo, letter too many": texts("It happenned at night.", "It happened at night."),
    "typo, letters exchanged": texts("They recieve wages.", "They receive wages."),
    "typo, wrong letter": texts("A seperate berth is closed.", "A separate berth is closed."),
    "typo in a headline": titles("A port clsoes in winter", "A port closes in winter"),
    "typo in a headline in capitals": titles("Port Clsoes In Winter", "Port Closes In Winter"),
    "typo at the beginning of a sentence": texts(
        "Goverment is slow. The government said so.", "Government is slow. The government said so."
    ),
    "typo in Russian": texts("Причал закыт до весны.", "Причал закрыт до весны."),
    "typo in German": texts("Der Hafen ist geschlosen.", "Der Hafen ist geschlossen."),
    "British spelling": texts("The harbor is closed.", "The harbour is closed."),
    "two typos": texts("They recieve seperate wages.", "They receive separate wages."),
    "article added": texts("Port is closed in winter.", "The port is closed in winter."),
    "article changed": texts("A ship lay in the port.", "The ship lay in a port."),
    "hyphen": texts("A well known port is closed.", "A well-known port is closed."),
    "words joined": texts("The web site is down.", "The website is down."),
    "contraction": texts("It does not work.", "It doesn’t work."),
    "number in words": texts("Seven ships wait.", "7 ships wait."),
    "thousands": texts("It cost 1,204 crowns.", "It cost 1204 crowns."),
    "Arabic digits": texts("وصلت 5 سفن", "وصلت ٥ سفن"),
    "paragraphs in another order": texts("One thing.\n\nAnother thing.", "Another thing.\n\nOne thing."),
    "source in other typography": sources(
        (CitedSource("Quay’s Wire", None, ""),), (CitedSource("Quay's  Wire", None, ""),)
    ),
    "tracking in a source's URL": sources(
        (WIRE,), (CitedSource(WIRE.publisher, WIRE.published_on, f"{WIRE.url}?utm_source=x"),)
    ),
    "sources in another order": sources((WIRE, CitedSource("Quay", None, "")), (CitedSource("Quay", None, ""), WIRE)),
}

MATERIAL = {
    "name changed": (texts("The ship of Huawei is late.", "The ship of Dahua is late."), {"name"}),
    "one letter in a name": (texts("They met Chen there.", "They met Cheng there."), {"name"}),
    "name added": (texts("The engineer spoke.", "The engineer Li spoke."), {"name"}),
    "name removed": (texts("A company of Huawei built it.", "A company built it."), {"name"}),
    "name at the beginning of a sentence": (texts("Huawai built it.", "Huawei built it."), {"name"}),
    "name in a headline": (titles("Huawei builds a cable", "Hikvision builds a cable"), {"name"}),
    "name in a headline in capitals": (
        titles("Huawei Builds A Cable", "Hikvision Builds A Cable", "Now Huawei and Hikvision build."), {"wording"},
    ),
    "name in Cyrillic": (texts("Так сказал Иванов вчера.", "Так сказал Петров вчера."), {"name"}),
    "number": (texts("Five large banks lent more.", "Seven large banks lent more."), {"number"}),
    "number in digits": (texts("It cost 3.7 million.", "It cost 37 million."), {"number"}),
    "number added": (texts("Ships wait outside.", "Ships wait outside 9 days."), {"number"}),
    "year": (texts("It was so in 2019.", "It was so in 2020."), {"number"}),
    "currency": (texts("It cost $5 there.", "It cost €5 there."), {"number"}),
    "percent": (texts("It fell by 5%.", "It fell by 5."), {"number"}),
    "order of magnitude": (texts("It cost 5 million.", "It cost 5 billion."), {"number"}),
    "ordinal": (texts("The first berth is closed.", "The third berth is closed."), {"number"}),
    "negation added": (texts("He was there.", "He was not there."), {"negation"}),
    "negation contracted": (texts("He does know.", "He doesn't know."), {"negation"}),
    "negation removed": (texts("She never called.", "She called."), {"negation"}),
    "German negation": (texts("Er war nicht dort.", "Er war dort."), {"negation"}),
    "Russian negation": (texts("Он не был там.", "Он был там."), {"negation"}),
    "denial": (texts("The bank confirmed the loan.", "The bank denied the loan."), {"negation"}),
    "quotation changed": (texts("He called it “an old test”.", "He called it “an odd test”."), {"quotation"}),
    "typo in a quotation": (texts("She said “we recieve it”.", "She said “we receive it”."), {"quotation"}),
    "quotation added": (texts("He called it an old test.", "He called it “an old test”."), {"quotation"}),
    "quotation longer": (texts("He said “no” to us.", "He said “no, thanks” to us."), {"quotation"}),
    "Chinese quotation": (texts("他称之为“旧测试”。", "他称之为“新测试”。"), {"quotation", "name"}),
    "verb": (texts("The pilot was arrested.", "The pilot was released."), {"wording"}),
    "short word": (texts("He is dead.", "He is well."), {"wording"}),
    "first letter": (texts("Nine men were hired.", "Nine men were fired."), {"wording"}),
    "preposition": (texts("The ship came from there.", "The ship went to there."), {"wording"}),
    "sentence added": (texts("The port is closed.", "The port is closed. Nobody knows for how long."), {"negation"}),
    "paragraph added": (texts("The port is closed.", "The port is closed.\n\nA union calls it a mistake."), {"wording"}),
    "paragraph removed": (texts("The port is closed.\n\nIt will open in May.", "The port is closed."), {"name"}),
    "another text": (texts("The port is closed.", "Bakers bake bread and sell it in the morning."), {"wording"}),
    "words change places": (texts("The dog bit the man.", "The man bit the dog."), {"wording"}),
    "names change places": (texts("Yesterday Li sued Chen.", "Yesterday Chen sued Li."), {"name"}),
    "Chinese sign": (texts("三号泊位关闭", "二号泊位关闭"), {"name"}),
    "Chinese name": (texts("陈泽辉被开除", "陈泽晖被开除"), {"name"}),
    "Chinese negation": (texts("他出席会议", "他未出席会议"), {"name"}),
    "simplified to traditional": (texts("港口关闭", "港口關閉"), {"name"}),
    "Uyghur word": (texts("كىتابخانا ئېچىلدى", "كىتابخانا تاقالدى"), {"name"}),
    "Arabic negation": (texts("الميناء مغلق", "الميناء ليس مغلق"), {"negation"}),
    "Korean": (texts("항구가 닫혔다", "항구가 열렸다"), {"name"}),
    "Thai": (texts("ท่าเรือปิด", "ท่าเรือเปิด"), {"name"}),
    "Hindi": (texts("बंदरगाह बंद है", "बंदरगाह खुला है"), {"name"}),
    "source's publisher": (sources((WIRE,), (CitedSource("Quay", WIRE.published_on, WIRE.url),)), {"source"}),
    "source's date": (sources((WIRE,), (CitedSource(WIRE.publisher, date(2026, 11, 6), WIRE.url),)), {"source"}),
    "source's page": (sources((WIRE,), (replace(WIRE, url="https://wire.example/a/2"),)), {"source"}),
    "source added": (sources((WIRE,), (WIRE, CitedSource("Quay", None, ""))), {"source"}),
    "source removed": (sources((WIRE,), ()), {"source"}),
    "several": (
        texts("Two men of Huawei were there.", "Three men of Dahua were not there."), {"number", "name", "negation"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_edits_that_change_no_meaning_are_insignificant_both_ways(name: str) -> None:
    before, after = SILENT[name]
    for found in (classify_edit(before, after), classify_edit(after, before)):
        assert isinstance(found, Insignificant), found
        assert found.reason


@pytest.mark.parametrize("name", MATERIAL)
def test_edits_that_change_the_meaning_are_significant_both_ways(name: str) -> None:
    (before, after), kinds = MATERIAL[name]
    for found in (classify_edit(before, after), classify_edit(after, before)):
        assert isinstance(found, Significant), found
        assert kinds <= set(found.kinds) <= {"name", "number", "quotation", "negation", "source", "wording"}
        assert "\n" not in found.reason


@pytest.mark.parametrize(
    "full", [CitedSource("Wire", date(2026, 11, 5), ""), CitedSource("Wire", None, "https://wire.example/1")]
)
def test_completing_a_source_is_insignificant_and_shortening_it_is_not(full: CitedSource) -> None:
    bare = (CitedSource("Wire", None, ""),)
    assert classify_edit(*sources(bare, (full,))) == Insignificant("a source completed")
    assert isinstance(classify_edit(*sources((full,), bare)), Significant)


def test_there_are_many_pairs() -> None:
    assert len(SILENT) + len(MATERIAL) >= 90


def test_the_reason_names_what_changed() -> None:
    assert classify_edit(*MATERIAL["number"][0]).reason == "number: Five → Seven"
    assert classify_edit(*SILENT["typo, letter missing"]).reason == "spelling: goverment → government"
    assert classify_edit(*MATERIAL["source removed"][0]).reason == "source: Coastal Wire is gone"
    assert classify_edit(*SILENT["paragraphs in another order"]).reason == "paragraphs in another order"


@pytest.mark.no_cover
def test_two_long_different_texts_are_not_compared_word_by_word() -> None:
    one = " ".join(f"word{number % 97} the" for number in range(40_000))
    with hang_guard():
        assert isinstance(classify_edit(Text(one), Text(one[::-1])), Significant)


def test_links_and_their_tracking_are_no_other_markup() -> None:
    link = '<p><a href="https://a.example/1{}">One</a></p>'
    assert same_markup(link.format(""), link.format("?utm_source=feed&amp;fbclid=1"))
    assert not same_markup(link.format(""), link.format("?page=2"))
    assert not same_markup("<p>One</p>", "<p><b>One</b></p>")


WORDS = st.sampled_from(
    [
        "The",
        "port",
        "closed",
        "Huawei",
        "7",
        "1,204",
        "not",
        "“old",
        "test”",
        "港口",
        "порт",
        "ئۇيغۇر",
        "it’s",
        "well-known",
        "don't",
    ]
)
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=8), min_size=1, max_size=5).map(
    lambda paragraphs: "\n\n".join(" ".join(words) + "." for words in paragraphs)
)
TYPOGRAPHY: tuple[Callable[[str], str], ...] = (
    lambda text: text.replace("“", '"').replace("”", '"'),
    lambda text: text.replace("“", "«").replace("”", "»"),
    lambda text: text.replace("“", "「").replace("”", "」"),
    lambda text: text.replace("’", "'"),
    lambda text: text.replace("'", "’"),
    lambda text: text.replace("-", "‑"),
    lambda text: text.replace(".", "…"),
    lambda text: text.replace(" ", "\u00a0 "),
    lambda text: text.replace(" ", "\n"),
    lambda text: text.replace("\n\n", "\n\n\n "),
    lambda text: text.replace("o", "o\u00ad\u200b"),
    lambda text: text + "  ",
)


@given(text=TEXTS, transformed=st.lists(st.sampled_from(TYPOGRAPHY), max_size=5))
def test_typography_and_white_space_change_no_meaning(text: str, transformed: list[Callable[[str], str]]) -> None:
    other = text
    for one in transformed:
        other = one(other)
    assert isinstance(classify_edit(Text(text), Text(other)), Insignificant)
    assert isinstance(classify_edit(Text(other), Text(text)), Insignificant)


@given(
    text=TEXTS, word=st.sampled_from(["Dahua", "8", "never", "维吾尔", "уйгуров", "vanished"]), place=st.integers(0, 60)
)
def test_a_new_word_is_always_significant(text: str, word: str, place: int) -> None:
    words = text.split(" ")
    at = place % (len(words) + 1)
    assert isinstance(classify_edit(Text(text), Text(" ".join([*words[:at], word, *words[at:]]))), Significant)


@given(TEXTS)
def test_equal_hashes_mean_an_insignificant_edit(text: str) -> None:
    assert meaning_hash("T", text, ()) == meaning_hash("T", text.replace("’", "'").replace(" ", "  "), ())
    assert meaning_hash("T", text, ()) != meaning_hash("T", text + " More", ())
    assert meaning_hash("T", text, ()) != meaning_hash("T", text, (WIRE,))


ITEMS = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["Ferry fares", "Museum ship", "Tug crews", "Pilots"]), TEXTS),
    max_size=7,
    unique_by=lambda one: one[0],
).map(lambda found: [Text(text, title, (), str(key).encode()) for key, title, text in found])


@given(old=ITEMS, new=ITEMS, order=st.randoms(use_true_random=False))
@example(old=[Text("a", "T", (), b"1"), Text("a", "T", (), b"2")], new=[Text("a", "T", (), b"3")], order=Random(1))
def test_pairing_is_a_matching_that_no_order_changes(old: list[Text], new: list[Text], order: Random) -> None:
    def partners(old: list[Text], new: list[Text]) -> dict[bytes, bytes | None]:
        found = pair(old, new)
        assert [one.new for one in found] == list(range(len(new)))
        taken = [one.old for one in found if one.old is not None]
        assert len(set(taken)) == len(taken)
        return {new[one.new].key: None if one.old is None else old[one.old].key for one in found}

    straight = partners(old, new)
    assert straight == partners(order.sample(old, len(old)), order.sample(new, len(new)))
    both = {one.key for one in old} & {one.key for one in new}
    assert all(straight[key] == key for key in both)


def test_pieces_are_paired_by_key_then_headline_then_text() -> None:
    old = [
        Text("One two three four five six.", "A", key=b"a"),
        Text("Seven eight nine.", "B", key=b"b"),
        Text("Ten.", "C", key=b"c"),
    ]
    new = [
        Text("Ten.", "New name", key=b"x"),
        Text("Quite another text.", "B", key=b"y"),
        Text("Changed.", "Changed", key=b"a"),
        Text("Brand new words.", "D", key=b"z"),
    ]
    assert pair(old, new) == (Pair(0, 2), Pair(1, 1), Pair(2, 0), Pair(3, None))


@given(text=TEXTS, others=st.lists(TEXTS, max_size=3))
def test_a_text_that_was_only_cut_differently_is_known(text: str, others: list[str]) -> None:
    assume(len("".join(text.split())) >= 4)
    assert is_known(text, known_shape([*others, f"before {text} after"]))


def test_a_text_that_was_not_there_before_is_new() -> None:
    assert not is_known(
        "The museum ship leaks, and nobody knows why.", known_shape(["The ferry fares go up from Monday on."])
    )


def test_what_an_entry_ever_held_does_not_make_reading_it_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry whose articles are all others with every poll: each new one would be compared with each that ever was."""
    looks: list[object] = []
    likeness = item_pairing._similarity
    monkeypatch.setattr(item_pairing, "_similarity", lambda one, other: looks.append(one) or likeness(one, other))
    old = [Text(f"Words {number * 7919}.", f"Old {number}", key=b"o%d" % number) for number in range(3000)]
    new = [Text(f"Other {number * 104729}.", f"New {number}", key=b"n%d" % number) for number in range(200)]
    same = Text(old[-1].text, "Renamed", key=b"same")
    found = pair(old, [*new, same])
    assert len(looks) <= item_pairing.MOST_PAIRS
    assert found[-1] == Pair(200, 2999)
    assert sum(known_shape([f"{number:04}" for number in range(1000)]).values()) == item_pairing.MOST_KNOWN
