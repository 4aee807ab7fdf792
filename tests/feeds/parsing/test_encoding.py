"""Encodings that are wrong, missing or lied about."""

import codecs

import pytest

from newsletter.feeds.parsing.encoding import decode
from tests.feeds.sentences import SENTENCES

CASES = [(name, text) for names, texts in SENTENCES.items() for name in names for text in texts]
WHOLE = [
    (name, "。".join(texts) if name[0] in "gbce" and len(name) > 6 else ". ".join(texts))
    for names, texts in SENTENCES.items()
    for name in names
]


def document(title: str, head: str = "") -> str:
    return f"{head}<rss version='2.0'><channel><title>News</title><item><title>{title}</title></item></channel></rss>"


@pytest.mark.parametrize(("name", "text"), CASES)
def test_the_encoding_of_one_title_is_detected(name: str, text: str) -> None:
    body = document(text).encode(name)
    assert text in decode(body, "")
    assert text in decode(b"<?xml version='1.0' encoding='ISO-8859-1'?>" + body, "text/xml; charset=us-ascii")
    assert text in decode(b"<?xml version='1.0' encoding='utf-8'?>" + body, "text/xml; charset=utf-8")


def test_short_titles_are_mostly_right() -> None:
    """The first two words, or four characters: the few that are told wrong are in sister encodings."""
    short = [(name, text[:4] if " " not in text else " ".join(text.split()[:2])) for name, text in CASES]
    short = [(name, text) for name, text in short if not text.isascii()]
    wrong = [(name, text) for name, text in short if text not in decode(document(text).encode(name), "")]
    assert len(wrong) <= len(short) / 20, wrong


@pytest.mark.parametrize(("name", "text"), WHOLE)
def test_a_wrong_declaration_of_a_similar_encoding_is_detected(name: str, text: str) -> None:
    for said in ("gb2312", "big5", "shift_jis", "windows-1251", "koi8-r", "euc-kr"):
        assert text in decode(document(text, f"<?xml version='1.0' encoding='{said}'?>").encode(name), ""), said


@pytest.mark.parametrize(("name", "text"), CASES)
def test_a_right_declaration_is_believed(name: str, text: str) -> None:
    word = text.split()[0] if " " in text else text[:2]
    for said in (name, name.upper()):
        assert word in decode(document(word, f"<?xml version='1.0' encoding='{said}'?>").encode(name), "")
        assert word in decode(document(word).encode(name), f"application/rss+xml; charset={said}")


@pytest.mark.parametrize(
    "name", ["windows-1253", "windows-1255", "iso-8859-9", "tis-620", "macroman", "iso-8859-15", "iso-2022-jp"]
)
def test_an_encoding_that_is_only_declared_is_believed(name: str) -> None:
    text = {"windows-1253": "Η πόλη", "windows-1255": "העיר", "tis-620": "เมือง", "iso-2022-jp": "市は昨日"}.get(
        name, "Straße für alle"
    )
    assert text in decode(document(text, f"<?xml version='1.0' encoding='{name}'?>").encode(name), "")


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [True, False])
def test_utf_16_with_and_without_byte_order_mark(name: str, mark: bool) -> None:
    bom = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}[name] if mark else b""
    for head in ("", "<?xml version='1.0' encoding='utf-8'?>", "\n"):
        assert "维吾尔" in decode(bom + document("维吾尔", head).encode(name), "text/xml; charset=utf-8")


def test_of_two_declarations_the_one_that_makes_sense_counts() -> None:
    text = document(
        "Вчера город объявил план",
        "<?xml version='1.0' encoding='koi8-r'?><?xml version='1.0' encoding='windows-1251'?>",
    )
    assert "Вчера город" in decode(text.encode("cp1251"), "text/xml; charset=gb2312")


def test_utf_8_is_seen_though_it_is_cut_off_or_a_little_broken() -> None:
    body = document("Вчера — “город”", "<?xml version='1.0' encoding='windows-1251'?>").encode()
    for cut in range(body.index("Вчера".encode()) + 1, len(body)):
        assert decode(body[:cut], "") == body[:cut].decode(errors="ignore")
    mixed = document("Вчера город объявил план — x").encode().replace(b"x", b"\x93caf\xe9\x94")
    assert "план — “café”" in decode(mixed, "")
    assert "café" in decode(codecs.BOM_UTF8 + "вчера вчера".encode() + b" caf\xe9 x", "")


@pytest.mark.parametrize("name", ["rot13", "base64", "idna", "punycode", "mbcs", "utf-7\x00", "nothing", "hex"])
def test_a_codec_that_is_no_encoding_is_not_tried(name: str) -> None:
    assert "Zürich" in decode(
        document("Zürich", f"<?xml version='1.0' encoding='{name}'?>").encode("cp1252"), f"x; charset={name}"
    )


def test_one_odd_character_of_an_english_feed_is_of_windows_1252() -> None:
    for text in ("It’s here", "“Yes”", "a – b", "café", "€ 5"):
        assert text in decode(document(text).encode("cp1252"), "")
