"""What a bare word meets besides itself: inflected forms, but no function words, no other names, and nothing by a short stem."""

import pytest

from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex, spans
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.language import parse
from newsletter.matching.text import stemming
from newsletter.matching.text.name_forms import function_words
from newsletter.matching.text.tokenize import keys


def met(query: str, text: str, lang: str) -> list[str]:
    index = QueryIndex({1: compile_query(parse(query))})
    item = Document("", text, lang)
    found = [text[hit.start : hit.end] for one in index.matching_queries(item) for hit in one.hits]
    later = QueryIndex({}).updated({1: compile_query(parse(query))})
    later.matching_topics(Document("", "", lang))
    assert bool(found) == bool(index.matching_topics(item)) == bool(later.matching_topics(item))
    warm = QueryIndex({2: compile_query(parse("x"))})
    warm.matching_topics(item)
    assert bool(found) == bool(warm.updated({1: compile_query(parse(query))}).matching_topics(item))
    return found


@pytest.mark.parametrize(
    ("lang", "query", "text", "expected"),
    [
        # function words meet themselves only
        ("fr", "Lee", "le les Lee lee", ["Lee", "lee"]),
        ("fr", "lee", "le les", []),
        ("fr", "Dan", "dans", []),
        ("fr", "San", "sans", []),
        ("fr", "James", "jamais", []),
        ("fr", "toutes", "tout toute", []),
        ("es", "este", "estas estos", []),
        ("de", "Seine", "sein seiner", []),
        ("it", "Della", "delle dello", []),
        ("ru", "который", "которого", []),
        ("en", "there", "there their", ["there"]),
        # stems of three letters join nothing
        ("en", "Die", "died dies dying", []),
        ("en", "war", "wars war", ["war"]),
        ("ar", "بيت", "البيت", ["البيت"]),
        # a name has no other endings than names have
        ("en", "Julie", "July Julie Julie’s", ["Julie", "Julie’s"]),
        ("en", "Federation", "Federer, two federations", ["federations"]),
        ("en", "federation", "federations", ["federations"]),
        ("en", "Uyghur", "Uyghurs", ["Uyghurs"]),
        ("en", "Uyghurs", "Uyghur", ["Uyghur"]),
        ("en", "Elections", "election, elected", ["election"]),
        ("en", "elections", "election, elected", ["election", "elected"]),
        ("en", "Policy", "policies", ["policies"]),
        ("en", "Williams", "William", []),
        ("en", "William", "Williams", []),
        ("en", "Lucas", "Luca", []),
        ("en", "Gates", "gate", []),
        ("en", "Houthi", "Houthis", ["Houthis"]),
        ("fr", "Louis", "Louise", []),
        ("fr", "Journal", "journaux", ["journaux"]),
        ("es", "Mario", "María", []),
        ("de", "Merkel", "Merkels", ["Merkels"]),
        ("de", "Haus", "Häuser", ["Häuser"]),
        ("de", "Fisch", "Fischer", []),
        ("nl", "Rutte", "Ruttes", ["Ruttes"]),
        ("sv", "Stockholm", "Stockholms", ["Stockholms"]),
        ("ru", "Путин", "Путина, Путину, Путиным", ["Путина", "Путину", "Путиным"]),
        ("ru", "Москва", "в Москве, московский", ["Москве"]),
        ("ru", "Иван", "Иванов, Ивана", ["Ивана"]),
        ("ru", "Уйгур", "уйгуров", ["уйгуров"]),
        ("pl", "Warszawa", "w Warszawie", ["Warszawie"]),
        ("cs", "Praha", "do Prahy", ["Prahy"]),
        ("sr", "Београд", "у Београду", ["Београду"]),
        ("el", "Αθήνα", "της Αθήνας", ["Αθήνας"]),
        ("hu", "Orbán", "Orbánnak, Orbánról", ["Orbánnak", "Orbánról"]),
        ("fi", "Niinistö", "Niinistön", ["Niinistön"]),
        ("tr", "Ankara", "Ankara’da, Ankara'dan", ["Ankara’da", "Ankara'dan"]),
        ("lt", "Vilnius", "Vilniuje", ["Vilniuje"]),
        ("hy", "Երևան", "Երևանում", ["Երևանում"]),
    ],
)
def test_inflected_forms_and_names_match(lang: str, query: str, text: str, expected: list[str]) -> None:
    assert met(query, text, lang) == expected


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("ONU", "dell’Unione e dell'ONU"),
        ("ONU", "l’O.N.U."),
        ("altra", "un'altra"),
        ("elle", "jusqu’elle"),
        ("Uganda", "n'Uganda"),
        ("Uganda", "bw’Uganda"),
        ("Uburundi", "y'Uburundi"),
        ("ኢሳያስ", "ኢሳያስ'ውን"),
        ("ዚ", "ካብ’ዚ"),
        ("הארץ", 'ב"הארץ" נאמר'),
        ("הארץ", "ב'הארץ' נאמר"),
        ('צה"ל', "צה״ל"),
        ("צה״ל", 'דובר צה"ל'),
        ("ג'ורג'", "ג׳ורג׳"),
        ("п'ять", "п’ять"),
        ("Oʻzbekiston", "O'zbekiston"),
        ("Hawaii", "Hawaiʻi"),
        ("Huawei", "Huawei’ll win"),
        ("Huawei", "Huawei's, Huaweis'"),
        ("Cymru", "Cymru'n"),
    ],
)
def test_apostrophes_separate_words_by_language(word: str, text: str) -> None:
    assert spans(word, "", text)


@pytest.mark.parametrize(
    ("word", "text"),
    [("ombe", "ng'ombe"), ("alaba", "g‘alaba"), ("Neill", "O'Neill"), ("an", "Xi'an"), ("sa", "Sa'd"), ("ל", 'צה"ל')],
)
def test_other_apostrophes_are_part_of_the_word(word: str, text: str) -> None:
    assert not spans(f'"{word}"', "", text)


def test_every_stemmer_has_function_words_that_are_words() -> None:
    assert set(function_words()) == set(stemming._STEMMERS.values())
    for language, words in function_words().items():
        assert len(words) >= 50, language
        assert all(len(keys(word)) >= 1 for word in words), language
