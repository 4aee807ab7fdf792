"""Row 26: what looks the same is found, what only resembles it is not, and marks that turn a line round are taken out."""

import pytest

from newsletter.feeds.html.sanitize_text import title_to_text
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.language import parse

SAME = [
    ("Huawei", "Ｈｕａｗｅｉ"),
    ("Huawei", "HUAWEI"),
    ("Huawei", "Hua\u200bwei"),
    ("Huawei", "Hua\u00adwei"),
    ("Huawei", "\ufeffHuawei"),
    ("Huawei", "\u202eHuawei\u202c"),
    ("café", "cafe\u0301"),
    ("straße", "STRASSE"),
    ("office", "oﬃce"),
    ("ئۇيغۇر", "ئۇيغۇر"),
    ("ئۇيغۇر", "\u2067ئۇيغۇر\u2069"),
    ("ئۇيغۇرلارئە", "ئۇيغۇرلارئە"),
    ("уйғур", "УЙҒУР"),
    ("维吾尔", "新疆维吾尔自治区"),
    ("ｶﾞｽ", "ガス"),
    ("İstanbul", "İstanbul"),
    ("O’Neil", "O'Neil"),
]
OTHER = [("Huawei", "Нuаwеi"), ("Apple", "Аpple"), ("scope", "ѕсоре"), ("ئۇيغۇر", "ئويغور"), ("Rome", "Romeo")]


def meets(query: str, text: str) -> bool:
    return bool(
        QueryIndex({1: compile_query(parse(query))}).matching_topics(Document(title_to_text(f"About {text} today"), ""))
    )


@pytest.mark.parametrize(("query", "text"), SAME, ids=range(len(SAME)))
def test_another_form_of_the_same_word_is_found(query: str, text: str) -> None:
    assert meets(query, text)


@pytest.mark.parametrize(("query", "text"), OTHER, ids=range(len(OTHER)))
def test_letters_of_another_script_are_other_letters(query: str, text: str) -> None:
    assert not meets(query, text)


@pytest.mark.parametrize(
    "mark", [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029, 0x85, 0x200B, 0xFEFF, 0xAD]
)
def test_no_mark_of_a_title_turns_or_breaks_a_line(mark: int) -> None:
    for title in (f"a{chr(mark)}b", f"{chr(mark)}gnp.exe", f"a&#{mark};b"):
        assert chr(mark) not in title_to_text(title)
