"""Source lines: what is read out of them, what of the article stays, and which sentences are none."""

from datetime import date

import pytest
from babel import Locale
from babel.dates import format_date
from hypothesis import assume, example, given
from hypothesis import strategies as st

from newsletter.feeds.citations import canonical_url, extract
from newsletter.feeds.citations.dates_in_text import find_all
from newsletter.feeds.citations.source_line import CitedSource
from newsletter.feeds.dates.calendar_names import MONTHS
from newsletter.feeds.dates.calendar_words import weekday_named
from newsletter.feeds.html import sanitize_html
from newsletter.feeds.html.blocks import to_text

URL = "https://news.example/a/1"
LINK = f'<a href="{URL}">{URL}</a>'
NOV5 = "2020-11-05"


def cite(html: str) -> tuple[list[tuple[str, str, str]], str]:
    """(sources as (publisher, date, URL), the text that is left)"""
    cited, left = extract.take_citations(
        extract.mark_source_lines(sanitize_html.parse_blocks(sanitize_html.sanitize(html), "https://digest.example/"))
    )
    return [(one.publisher, str(one.published_on or ""), one.url) for one in cited], to_text(left).strip()


def one(publisher: str, day: str = NOV5, url: str = "") -> list[tuple[str, str, str]]:
    return [(publisher, day, url)]


#: (what follows the article's text, its sources)
TAKEN = {
    # where the URL stands
    "url below": (f"<p>Source: Voice of America, November 5, 2020<br>{LINK}</p>", one("Voice of America", url=URL)),
    "url below in its own paragraph": (f"<p>Source: VOA, November 5, 2020</p><p>{LINK}</p>", one("VOA", url=URL)),
    "url behind the name": (f'<p>Source: <a href="{URL}">VOA</a>, November 5, 2020</p>', one("VOA", url=URL)),
    "url behind all": (f'<p>Source: <a href="{URL}">VOA, November 5, 2020</a></p>', one("VOA", url=URL)),
    "url behind the whole line": (f'<p><a href="{URL}">Source: VOA, November 5, 2020</a></p>', one("VOA", url=URL)),
    "url after": (f"<p>Source: VOA, November 5, 2020 {LINK}</p>", one("VOA", url=URL)),
    "url after, in brackets": (f"<p>Source: VOA, November 5, 2020 ({URL})</p>", one("VOA", url=URL)),
    "url after, no link": (f"<p>Source: VOA, November 5, 2020, {URL}.</p>", one("VOA", url=URL)),
    "url after, without scheme": (
        "<p>Source: VOA, November 5, 2020, www.news.example/a/1</p>",
        one("VOA", url="http://www.news.example/a/1"),
    ),
    "url after, without www": (
        "<p>Source: VOA, November 5, 2020, news.example/a/1</p>",
        one("VOA", url="http://news.example/a/1"),
    ),
    "url before the date": (f"<p>Source: VOA, {URL}, November 5, 2020</p>", one("VOA", url=URL)),
    "url behind a word": (
        f'<p>Source: VOA, November 5, 2020 [<a href="{URL}">link</a>]</p>',
        one("VOA", url=URL),
    ),
    "url shown shortened": (
        f'<p>Source: VOA, November 5, 2020<br><a href="{URL}">https://news.example/…</a></p>',
        one("VOA", url=URL),
    ),
    "url behind a read more below": (
        f'<p>Source: VOA, November 5, 2020</p><p><a href="{URL}">Read more</a></p>',
        one("VOA", url=URL),
    ),
    "label alone, url below": (f"<p>Source:<br>{LINK}</p>", one("", "", URL)),
    "label alone, all below": (f"<p>Source:</p><p>VOA, November 5, 2020</p><p>{LINK}</p>", one("VOA", url=URL)),
    "label bold": (f"<p><strong>Source:</strong> VOA, November 5, 2020<br>{LINK}</p>", one("VOA", url=URL)),
    "label italic": ("<p><em>Source: VOA, November 5, 2020</em></p>", one("VOA")),
    "label in capitals": ("<p>SOURCE: VOA, November 5, 2020</p>", one("VOA")),
    "at the end of the paragraph": (f"<p>Source: VOA, November 5, 2020.<br>URL: {LINK}</p>", one("VOA", url=URL)),
    "tracking stays in the url": (
        f'<p>Source: <a href="{URL}?utm_source=x">VOA</a>, November 5, 2020</p>',
        one("VOA", url=f"{URL}?utm_source=x"),
    ),
    "relative url": (
        '<p>Source: <a href="/a/2">VOA</a>, November 5, 2020</p>',
        one("VOA", url="https://digest.example/a/2"),
    ),
    "dangerous url": ('<p>Source: <a href="javascript:x()">VOA</a>, November 5, 2020</p>', one("VOA")),
    # forms of the line
    "round brackets": ("<p>(Source: VOA, November 5, 2020)</p>", one("VOA")),
    "square brackets": ("<p>[Source: VOA, November 5, 2020]</p>", one("VOA")),
    "square brackets without colon": (f"<p>[Source VOA, November 5, 2020 {URL}]</p>", one("VOA", url=URL)),
    "en dash": (f"<p>Source – VOA, November 5, 2020 – {LINK}</p>", one("VOA", url=URL)),
    "em dash without spaces": ("<p>Source—VOA, November 5, 2020</p>", one("VOA")),
    "hyphen": ("<p>Source - VOA - November 5, 2020</p>", one("VOA")),
    "dash before": ("<p>— Source: VOA, November 5, 2020</p>", one("VOA")),
    "star before": ("<p>* Source: VOA, November 5, 2020</p>", one("VOA")),
    "date in brackets": ("<p>Source: VOA (November 5, 2020)</p>", one("VOA")),
    "date first": ("<p>Source: November 5, 2020, VOA</p>", one("VOA")),
    "weekday": ("<p>Source: VOA, Thursday, November 5, 2020</p>", one("VOA")),
    "time of day": ("<p>Source: VOA, November 5, 2020, 10:30 a.m.</p>", one("VOA")),
    "time of day, ISO": ("<p>Source: VOA, 2020-11-05 10:30</p>", one("VOA")),
    "published on": ("<p>Source: VOA, published on November 5, 2020</p>", one("VOA")),
    "accessed later": (
        f"<p>Source: VOA, November 5, 2020 (accessed November 9, 2020), {URL}</p>",
        one("VOA", url=URL),
    ),
    "wide space": ("<p>Source:　VOA,\u00a0November\u00a05,\u00a02020</p>", one("VOA")),
    "quoted headline": (
        f"<p>Source: “Books, banned again”, VOA, November 5, 2020, {LINK}</p>",
        one("“Books, banned again”, VOA", url=URL),
    ),
    "via": ("<p>Source: Wire via VOA, November 5, 2020</p>", one("Wire via VOA")),
    "original source": ("<p>Original source: VOA, November 5, 2020</p>", one("VOA")),
    # publishers
    "publisher with commas": (
        "<p>Source: Ministry of Truth, Justice and Peace, May 5, 2020</p>",
        one("Ministry of Truth, Justice and Peace", "2020-05-05"),
    ),
    "publisher with a full stop": (
        "<p>Source: Post, Washington, D.C., November 5, 2020</p>",
        one("Post, Washington, D.C."),
    ),
    "publisher with brackets": (
        "<p>Source: Voice of America (Chinese), November 5, 2020</p>",
        one("Voice of America (Chinese)"),
    ),
    "publisher with a number": ("<p>Source: Channel 4, November 5, 2020</p>", one("Channel 4")),
    "publisher that is a domain": ("<p>Source: Coastal.example, November 5, 2020</p>", one("Coastal.example")),
    "no publisher": (f"<p>Source: November 5, 2020<br>{LINK}</p>", one("", url=URL)),
    "no date": (f"<p>Source: VOA<br>{LINK}</p>", one("VOA", "", URL)),
    "no url, no date": ("<p>Source: VOA</p>", one("VOA", "")),
    "only a url": (f"<p>Source: {LINK}</p>", one("", "", URL)),
    "month only stays with the name": (
        "<p>Source: Foreign Quarterly, November 2020</p>",
        one("Foreign Quarterly, November 2020", ""),
    ),
    "day and month that cannot be told apart": (
        f"<p>Source: VOA, 11/05/2020, {LINK}</p>",
        one("VOA, 11/05/2020", "", URL),
    ),
    # dates
    "short month": ("<p>Source: VOA, Nov. 5, 2020</p>", one("VOA")),
    "short month without comma": ("<p>Source: VOA, Nov 5 2020</p>", one("VOA")),
    "ordinal": ("<p>Source: VOA, November 5th, 2020</p>", one("VOA")),
    "day first": ("<p>Source: VOA, 5 November 2020</p>", one("VOA")),
    "day first, ordinal": ("<p>Source: VOA, 5th of November, 2020</p>", one("VOA")),
    "day first, hyphens": ("<p>Source: VOA, 05-Nov-2020</p>", one("VOA")),
    "ISO": ("<p>Source: VOA, 2020-11-05</p>", one("VOA")),
    "ISO with slashes": ("<p>Source: VOA, 2020/11/5</p>", one("VOA")),
    "dots": ("<p>Source: VOA, 05.11.2020</p>", one("VOA")),
    "slashes, day above twelve": ("<p>Source: VOA, 11/25/2020</p>", one("VOA", "2020-11-25")),
    "slashes, day first": ("<p>Source: VOA, 25/11/2020</p>", one("VOA", "2020-11-25")),
    "hyphens, day first": ("<p>Source: VOA, 25-11-2020</p>", one("VOA", "2020-11-25")),
    "dots and spaces": ("<p>Source: VOA, 5. 11. 2020</p>", one("VOA")),
    "ISO week": ("<p>Source: VOA, 2020-W45-4</p>", one("VOA")),
    "weekday before the day": ("<p>Source: VOA, Thursday, 5 November 2020</p>", one("VOA")),
    "a newspaper named like a weekday": ("<p>Source: The Sun, November 5, 2020</p>", one("The Sun")),
    "no such day": ("<p>Source: VOA, 31 February 2020</p>", one("VOA, 31 February 2020", "")),
    "day and month with hyphens that cannot be told apart": (
        f"<p>Source: VOA, 11-05-2020, {LINK}</p>",
        one("VOA, 11-05-2020", "", URL),
    ),
    # languages
    "Chinese": (f"<p>来源：美国之音，2020年11月5日<br>{LINK}</p>", one("美国之音", url=URL)),
    "Chinese, spaces in the date": ("<p>来源： 美国之音 2020 年 11 月 5 日</p>", one("美国之音")),
    "Chinese numerals": ("<p>来源：美国之音，二〇二〇年十一月五日</p>", one("美国之音")),
    "Chinese, traditional": ("<p>資料來源：自由亞洲電台，2020年11月5號</p>", one("自由亞洲電台")),
    "Chinese, message source": ("<p>消息来源: 新华社 2020-11-05</p>", one("新华社")),
    "Chinese, provenance": ("<p>出处：南方周末</p>", one("南方周末", "")),
    "Chinese in brackets": ("<p>（来源：美国之音，2020年11月5日）</p>", one("美国之音")),
    "Chinese in corners": ("<p>【来源】美国之音，2020年11月5日</p>", one("美国之音")),
    "Chinese reposted from": ("<p>转载自：财新网，2020年11月5日</p>", one("财新网")),
    "Chinese, original link": (f"<p>原文链接：{LINK}</p>", one("", "", URL)),
    "Chinese enumeration": (
        "<p>来源：美国之音、自由亚洲电台，2020年11月5日</p>",
        [("美国之音", NOV5, ""), ("自由亚洲电台", NOV5, "")],
    ),
    "Japanese": ("<p>出典：沿岸新聞、2020年11月5日</p>", one("沿岸新聞")),
    "Korean": ("<p>출처: 연안일보, 2020년 11월 5일</p>", one("연안일보")),
    "Russian": (f"<p>Источник: Радио Свобода, 5 ноября 2020 г.<br>{LINK}</p>", one("Радио Свобода", url=URL)),
    "Russian with year in a word": ("<p>Источник: Медуза, 5 ноября 2020 года</p>", one("Медуза")),
    "Russian, dots": ("<p>Источник — Медуза, 05.11.2020</p>", one("Медуза")),
    "Russian, several": (
        f"<p>Источники: Медуза, 5 ноября 2020; Дождь {LINK}</p>",
        [("Медуза", NOV5, ""), ("Дождь", "", URL)],
    ),
    "Ukrainian": ("<p>Джерело: Суспільне, 5 листопада 2020 р.</p>", one("Суспільне")),
    "Uyghur": (
        f"<p>مەنبە: ئەركىن ئاسىيا رادىيوسى، 2020-يىلى 5-نويابىر<br>{LINK}</p>",
        one("ئەركىن ئاسىيا رادىيوسى", url=URL),
    ),
    "Uyghur, month first": (
        "<p>مەنبە: ئەركىن ئاسىيا رادىيوسى، 2020-يىلى نويابىرنىڭ 5-كۈنى</p>",
        one("ئەركىن ئاسىيا رادىيوسى"),
    ),
    "Arabic": ("<p>المصدر: الجزيرة، 5 نوفمبر 2020</p>", one("الجزيرة")),
    "Arabic digits": ("<p>المصدر: الجزيرة، ٥ نوفمبر ٢٠٢٠</p>", one("الجزيرة")),
    "Arabic months of the east": ("<p>المصدر: الجزيرة، 5 تشرين الثاني 2020</p>", one("الجزيرة")),
    "Persian": ("<p>منبع: رادیو فردا</p>", one("رادیو فردا", "")),
    "German": ("<p>Quelle: Küstenbote, 5. November 2020</p>", one("Küstenbote")),
    "German, March": ("<p>Quelle: Küstenbote, 5. März 2020</p>", one("Küstenbote", "2020-03-05")),
    "French": ("<p>Source : Le Quai, le 5 novembre 2020</p>", one("Le Quai")),
    "French, first of the month": ("<p>Source\u202f: Le Quai, 1er août 2020</p>", one("Le Quai", "2020-08-01")),
    "Spanish": ("<p>Fuente: El Muelle, 5 de noviembre de 2020</p>", one("El Muelle")),
    "Spanish, plural": ("<p>Fuentes: El Muelle; La Costa</p>", [("El Muelle", "", ""), ("La Costa", "", "")]),
    "Portuguese": ("<p>Fonte: O Cais, 5 de novembro de 2020</p>", one("O Cais")),
    "Italian": ("<p>Fonte: Il Molo, 5 novembre 2020</p>", one("Il Molo")),
    "Dutch": ("<p>Bron: De Kade, 5 november 2020</p>", one("De Kade")),
    "Turkish": ("<p>Kaynak: Liman, 5 Kasım 2020</p>", one("Liman")),
    "Polish": ("<p>Źródło: Nabrzeże, 5 listopada 2020</p>", one("Nabrzeże")),
    "Japanese era": ("<p>出典：沿岸新聞、令和2年11月5日</p>", one("沿岸新聞")),
    "Korean, full stops": ("<p>출처: 연안일보, 2020. 11. 5.</p>", one("연안일보")),
    "Taiwan": ("<p>資料來源：自由時報，民國109年11月5日</p>", one("自由時報")),
    "Persian digits": ("<p>منبع: رادیو فردا، ۵ نوامبر ۲۰۲۰</p>", one("رادیو فردا")),
    "Thai": ("<p>Source: ท่าเรือ, 5 พฤศจิกายน 2563</p>", one("ท่าเรือ")),
    "Hindi": ("<p>Source: तट समाचार, 5 नवंबर 2020</p>", one("तट समाचार")),
    "Hungarian": ("<p>Source: Rakpart, 2020. november 5.</p>", one("Rakpart")),
    "Czech": ("<p>Source: Přístav, 5. listopadu 2020</p>", one("Přístav")),
    "Finnish": ("<p>Source: Satama, 5. marraskuuta 2020</p>", one("Satama")),
    "Greek": ("<p>Source: Λιμάνι, 5 Νοεμβρίου 2020</p>", one("Λιμάνι")),
    "Indonesian": ("<p>Source: Dermaga, Kamis, 5 November 2020</p>", one("Dermaga")),
    "Swedish": ("<p>Källa: Kajen, den 5 november 2020</p>", one("Kajen")),
    "Vietnamese": ("<p>Source: Bến Cảng, 5 tháng 11, 2020</p>", one("Bến Cảng")),
    # several
    "semicolons": (
        "<p>Sources: VOA, November 5, 2020; Coastal Wire, November 6, 2020</p>",
        [("VOA", NOV5, ""), ("Coastal Wire", "2020-11-06", "")],
    ),
    "a date each, and": (
        "<p>Source: VOA, November 5, 2020 and Coastal Wire, November 6, 2020</p>",
        [("VOA", NOV5, ""), ("Coastal Wire", "2020-11-06", "")],
    ),
    "a date each, commas": (
        "<p>Sources: VOA, November 5, 2020, Coastal Wire, November 6, 2020</p>",
        [("VOA", NOV5, ""), ("Coastal Wire", "2020-11-06", "")],
    ),
    "names with commas and and": (
        "<p>Sources: VOA, Coastal Wire and The Quay Times</p>",
        [("VOA", "", ""), ("Coastal Wire", "", ""), ("The Quay Times", "", "")],
    ),
    "names share a date": (
        "<p>Sources: VOA and Coastal Wire, November 5, 2020</p>",
        [("VOA", NOV5, ""), ("Coastal Wire", NOV5, "")],
    ),
    "one ministry under a plural label": (
        "<p>Sources: Ministry of Truth, Justice and Peace, May 5, 2020</p>",
        one("Ministry of Truth, Justice and Peace", "2020-05-05"),
    ),
    "links with commas": (
        f'<p>Sources: <a href="{URL}">VOA</a>, <a href="{URL}2">Coastal Wire</a> and <a href="{URL}3">Quay</a></p>',
        [("VOA", "", URL), ("Coastal Wire", "", f"{URL}2"), ("Quay", "", f"{URL}3")],
    ),
    "line breaks": (
        f"<p>Sources:<br>VOA, November 5, 2020<br>{LINK}<br>Coastal Wire, November 6, 2020<br>{URL}2</p>",
        [("VOA", NOV5, URL), ("Coastal Wire", "2020-11-06", f"{URL}2")],
    ),
    "list items": (
        f'<p>Sources:</p><ul><li><a href="{URL}">VOA</a></li><li>Coastal Wire, November 6, 2020</li></ul>',
        [("VOA", "", URL), ("Coastal Wire", "2020-11-06", "")],
    ),
    "list items under a heading": (
        f'<h4>Sources</h4><ol><li><a href="{URL}">VOA</a></li><li><a href="{URL}2">Coastal Wire</a></li></ol>',
        [("VOA", "", URL), ("Coastal Wire", "", f"{URL}2")],
    ),
    "labels one below the other": (
        f"<p>Source: VOA, November 5, 2020<br>{LINK}</p><p>Source: Coastal Wire, November 6, 2020<br>{URL}2</p>",
        [("VOA", NOV5, URL), ("Coastal Wire", "2020-11-06", f"{URL}2")],
    ),
    "two urls of one publisher": (
        f"<p>Source: VOA, November 5, 2020<br>{LINK}<br>{URL}2</p>",
        [("VOA", NOV5, URL), ("VOA", NOV5, f"{URL}2")],
    ),
    "numbered": (
        f"<p>Sources:<br>1. VOA, November 5, 2020 {URL}<br>2. Coastal Wire, November 6, 2020 {URL}2</p>",
        [("VOA", NOV5, URL), ("Coastal Wire", "2020-11-06", f"{URL}2")],
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_source_line_is_read_and_taken_out(name: str) -> None:
    line, expected = TAKEN[name]
    assert cite("<p>The text of the article.</p>" + line) == (expected, "The text of the article.")


def test_there_are_many_samples() -> None:
    assert len(TAKEN) + len(KEPT) + len(WITHIN) >= 120


#: No source lines: kept as text, though they begin with the word.
KEPT = {
    "source code": "<p>Source code of the tool: it was published yesterday.</p>",
    "sources said": "<p>Sources said that the port was closed on November 5, 2020.</p>",
    "sources dash": "<p>Sources – two of them officials – said that the port was closed.</p>",
    "source dash sentence": "<p>Source - a man who knows the port well - called it a lie.</p>",
    "heading": "<h3>Sources of income</h3><p>Fees and tolls.</p>",
    "heading and text": "<h3>Sources</h3><p>There are many ways to learn about ports, and most of them cost money.</p>",
    "a long sentence after a colon": (
        "<p>Sources: one of them was a clerk who had worked for the port for thirty years, the others were"
        " sailors who had seen the cameras while they waited for a berth in the outer harbour, all night.</p>"
    ),
    "a question": "<p>Source: who would have told them?</p>",
    "a sentence": "<p>Source: We do not know it. He never said who told him.</p>",
    "a headline in the middle": "<p>Sources: a sailor's tale</p><p>It was a dark night.</p>",
    "resources": "<p>Resources: sand, water, November 5, 2020</p>",
    "outsourced": "<p>Outsource: VOA</p>",
    "source of": "<p>Source of the smoke: unknown, November 5, 2020</p>",
    "Chinese sentence": "<p>来源不明的资金流入港口，2020年11月5日。</p>",
    "Chinese original text": "<p>原文如此</p>",
    "Russian sentence": "<p>Источник сообщил, что порт закрыт 5 ноября 2020 года.</p>",
    "German sentence": "<p>Quellen berichten, dass der Hafen am 5. November 2020 geschlossen war.</p>",
    "only the word": "<p>Source</p>",
    "only the label": "<p>Source:</p>",
}


@pytest.mark.parametrize("name", KEPT)
def test_a_sentence_that_begins_with_the_word_stays(name: str) -> None:
    html = "<p>The text of the article.</p>" + KEPT[name]
    assert cite(html) == ([], to_text(sanitize_html.parse_blocks(sanitize_html.sanitize(html))).strip())


#: (whole article, sources, text that is left)
WITHIN = {
    "at the end of the last paragraph": (
        "<p>A text. (Source: VOA, November 5, 2020)</p>",
        one("VOA"),
        "A text.",
    ),
    "at the end of the last paragraph, linked": (
        f'<p>A text (Source: <a href="{URL}">VOA</a>).</p>',
        one("VOA", "", URL),
        "A text",
    ),
    "in the middle": (
        f"<p>First.</p><p>Source: VOA, November 5, 2020<br>{LINK}</p><p>Second.</p>",
        one("VOA", url=URL),
        "First.\n\nSecond.",
    ),
    "at the top": (
        f"<p>Source: VOA, November 5, 2020 {LINK}</p><p>A text.</p>",
        one("VOA", url=URL),
        "A text.",
    ),
    "unsure in the middle": (
        "<p>First.</p><p>Source: VOA</p><p>Second.</p>",
        [],
        "First.\n\nSource: VOA\n\nSecond.",
    ),
    "unsure, in brackets, in the middle": (
        "<p>First <b>words</b> (Source: VOA).</p><p>Second.</p>",
        [],
        "First words (Source: VOA).\n\nSecond.",
    ),
    "last line of the paragraph": (
        f"<p>A text.<br>Source: VOA, November 5, 2020<br>{LINK}</p>",
        one("VOA", url=URL),
        "A text.",
    ),
    "in a wrapper": (
        f'<div><div>A text.</div><div class="source"><span>Source:</span> <a href="{URL}">VOA</a></div></div>',
        one("VOA", "", URL),
        "A text.",
    ),
    "before WordPress's afterword": (
        "<p>A text.</p><p>Source: VOA, November 5, 2020</p>"
        '<p>The post <a href="https://digest.example/1">A title</a> appeared first on <a href="https://digest.example">D</a>.</p>',
        one("VOA"),
        "A text.",
    ),
    "before a rule": ("<p>A text.</p><p>Source: VOA</p><hr>", one("VOA", ""), "A text."),
    "a rule ends it": (
        f"<p>A text.</p><p>Source: VOA, November 5, 2020</p><hr><p>{LINK}</p>",
        one("VOA"),
        f"A text.\n\n{URL}",
    ),
    "a heading ends it": (
        "<p>A.</p><p>Sources:<br>VOA, November 5, 2020</p><h3>Coastal Wire, November 6, 2020</h3><p>B.</p>",
        one("VOA"),
        "A.\n\nCoastal Wire, November 6, 2020\n\nB.",
    ),
    "the closing one first": (
        "<p>A.</p><p>Source: VOA, November 5, 2020</p><p>B.</p><p>Source: Coastal Wire, November 6, 2020</p>",
        [("Coastal Wire", "2020-11-06", ""), ("VOA", NOV5, "")],
        "A.\n\nB.",
    ),
    "two articles in brackets": (
        "<p>A. (Source: VOA, November 5, 2020)</p><p>B. (Source: Coastal Wire, November 6, 2020)</p>",
        [("Coastal Wire", "2020-11-06", ""), ("VOA", NOV5, "")],
        "A.\n\nB.",
    ),
    "a photo credit is no source of the article": (
        "<p>First.</p><p>Photo source: Agency</p><p>Second.</p>",
        [],
        "First.\n\nPhoto source: Agency\n\nSecond.",
    ),
}


@pytest.mark.parametrize("name", WITHIN)
def test_a_source_line_inside_a_text(name: str) -> None:
    html, expected, left = WITHIN[name]
    assert cite(html) == (expected, left)


#: Two addresses of one page.
SAME = [
    ("https://news.example/a/1", "http://news.example/a/1"),
    ("https://news.example/a/1", "https://www.news.example/a/1/"),
    ("https://news.example/a/1", "https://m.news.example/a/1"),
    ("https://www.news.example/a/1", "https://mobile.news.example/a/1#top"),
    ("https://news.example/a/1", "https://amp.news.example/a/1"),
    ("https://news.example/a/1", "https://news.example/a/1/amp/"),
    ("https://news.example/a/1", "https://news.example/amp/a/1"),
    ("https://news.example/a/1.html", "https://news.example/a/1.amp.html"),
    ("https://news.example/a/1", "https://news.example/a/1?amp=1"),
    ("https://news.example/a/1", "https://news.example/a/1?outputType=amp"),
    ("https://news.example/a/1", "https://www.google.com/amp/s/news.example/a/1"),
    ("https://news.example/a/1", "https://news-example.cdn.ampproject.org/c/s/news.example/a/1"),
    ("https://en.wikipedia.org/wiki/Port", "https://en.m.wikipedia.org/wiki/Port"),
    ("https://news.example/a?id=1&x=2", "https://news.example/a?x=2&utm_source=feed&id=1&fbclid=abc"),
    ("https://news.example/港口", "https://news.example/%E6%B8%AF%E5%8F%A3"),
    ("https://NEWS.example:443/a/1", "https://news.example/a/1"),
]
#: Two pages.
DIFFERENT = [
    ("https://news.example/a/1", "https://news.example/a/2"),
    ("https://news.example/a/1", "https://news.example/A/1"),
    ("https://news.example/a?id=1", "https://news.example/a?id=2"),
    ("https://news.example/a/1", "https://zh.news.example/a/1"),
    ("https://m.example/a/1", "https://example/a/1"),
    ("https://news.example/amp", "https://news.example/a"),
    ("https://news.example/a/1", "https://news.example:8443/a/1"),
    ("https://news.example/a?outputtype=print", "https://news.example/a"),
    ("https://news.example/stamp", "https://news.example/st"),
]


@pytest.mark.parametrize(("one_url", "other"), SAME)
def test_addresses_of_one_page_are_the_same_original(one_url: str, other: str) -> None:
    assert canonical_url.canonical(one_url) == canonical_url.canonical(other) != ""


@pytest.mark.parametrize(("one_url", "other"), DIFFERENT)
def test_addresses_of_two_pages_are_not(one_url: str, other: str) -> None:
    assert canonical_url.canonical(one_url) != canonical_url.canonical(other)


@pytest.mark.parametrize("url", ["", "ftp://news.example/a", "javascript:x()", "https://", "https://[::1", "nonsense"])
def test_what_is_no_address_has_no_canonical_form(url: str) -> None:
    assert canonical_url.canonical(url) == ""


@pytest.mark.parametrize("url", ["https://news.example", "https://www.news.example/", "https://m.news.example/#top"])
def test_a_home_page_is_no_original(url: str) -> None:
    assert canonical_url.original(url) == ""
    assert canonical_url.original(url + "?p=7" if "#" not in url else "https://m.news.example/?p=7") != ""


LOCALES = sorted({language for row in MONTHS for language in row.split()})
NAMES = st.lists(
    st.from_regex(r"[A-Z][a-z]{2,9}( [A-Z][a-z]{2,9}){0,3}", fullmatch=True).filter(
        # "Asa" is Saturday in Hausa: before a Saturday's date it is read as that
        lambda name: (
            not {"and", "und", "link", "url", "here"} & set(name.lower().split())
            and all(weekday_named(word) is None for word in name.split())
        )
    ),
    min_size=1,
    max_size=4,
)
DATES = st.dates(min_value=date(1995, 1, 1), max_value=date(2099, 12, 31))
WRITTEN = (
    "{0:%B} {0.day}, {0.year}",
    "{0.day} {0:%B} {0.year}",
    "{0:%Y-%m-%d}",
    "{0.year}年{0.month}月{0.day}日",
    "{0:%d.%m.%Y}",
    "{0:%A}, {0.day} {0:%b} {0.year}",
    "{0.year}. {0.month}. {0.day}.",
    "{0:%G-W%V-%u}",
)


@given(
    names=NAMES,
    days=st.lists(DATES, min_size=4, max_size=4),
    linked=st.lists(st.booleans(), min_size=4, max_size=4),
    form=st.sampled_from(WRITTEN),
)
def test_what_is_written_as_sources_is_read_as_these_sources(
    names: list[str], days: list[date], linked: list[bool], form: str
) -> None:
    sources = [
        CitedSource(name, day, f"{URL}/{number}" if with_url else "")
        for number, (name, day, with_url) in enumerate(zip(names, days, linked, strict=False))
    ]
    line = "; ".join(
        f"{one.publisher}, {form.format(one.published_on)}" + (f", {one.url}" if one.url else "") for one in sources
    )
    cited, left = extract.take_citations(
        extract.mark_source_lines(
            sanitize_html.parse_blocks(sanitize_html.sanitize(f"<p>A text.</p><p>Sources: {line}</p>"))
        )
    )
    assert list(cited) == list(dict.fromkeys(sources))
    assert to_text(left) == "A text.\n\n"


@pytest.mark.parametrize(
    "locale",
    ["de", "fr", "es", "pt", "it", "nl", "pl", "cs", "ru", "uk", "tr", "ar", "hi", "ja", "ko", "zh", "el", "fi"],
)
@given(day=DATES)
def test_a_day_in_a_common_language_is_found_in_its_line(locale: str, day: date) -> None:
    (found,) = find_all(f"Wire, {format_date(day, 'long', locale=locale)}, page 7")
    assert found.day == day


@given(day=DATES, locale=st.sampled_from(LOCALES), length=st.sampled_from(["full", "long", "medium"]))
def test_a_day_as_any_locale_writes_it_is_found_or_none(day: date, locale: str, length: str) -> None:
    assume((locale, day.month) != ("hr", 10))  # listopada is November in Polish, whose source lines are read
    found = find_all(f"Wire, {format_date(day, length, locale=Locale.parse(locale))}")
    assert {one.day for one in found} - {None} <= {day}, [one.day for one in found]


@example(["VOA", "(", "Source: ", "Source: ", ")"])
@given(
    st.lists(
        st.sampled_from(
            ["Source: ", "VOA", ", ", "November 5, 2020", URL, "<br>", "<p>", "(", ")", "; ", "A text. ", "<h3>T</h3>"]
        )
    )
)
def test_no_word_is_lost(parts: list[str]) -> None:
    """Each word of an article is in its text or in a source line."""
    blocks = sanitize_html.parse_blocks(sanitize_html.sanitize("".join(parts)))
    for part in extract.mark_source_lines(blocks):
        assert part in blocks or to_text(part.blocks if isinstance(part, extract.SourceLine) else [part])
    shown = [
        to_text(part.blocks if isinstance(part, extract.SourceLine) else [part])
        for part in extract.mark_source_lines(blocks)
    ]
    assert "".join("".join(shown).split()) == "".join(to_text(blocks).split())
