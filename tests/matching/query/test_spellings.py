"""Spellings are listed only where a list says the same as the query."""

import pytest

from newsletter.matching.query.spellings import listed_spellings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("query", "spellings"),
    [
        ("Huawei", ("Huawei",)),
        ('Uyghur OR Uighur OR "Uyghur region" OR 维吾尔', ("Uyghur", "Uighur", "Uyghur region", "维吾尔")),
        ("  a-b  OR   a-b ", ("a-b",)),
        ("cable AND sea", ()),
        ("cable sea", ()),
        ("apple -orchard", ()),
        ("-orchard", ()),
        ("Uygh*", ()),
        ("=Huawei OR Huawei", ()),
        ("title:Huawei OR Huawei", ()),
        ('"huawei cable"~10', ()),
        ("(a OR b)", ()),
        ("~cafe", ()),
        ("", ()),
    ],
)
def test_keys_of_spellings(query, spellings):
    assert listed_spellings(query) == spellings
