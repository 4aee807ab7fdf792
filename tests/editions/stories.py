"""Items as the renderer gets them: four scripts, one story from two feeds, long words, lists, tables, no source."""

import html as entities
import inspect
import re
from datetime import UTC, date, datetime, time
from pathlib import Path

from newsletter.editions.rendering.renderer import Renderer
from newsletter.editions.rendering.values import (
    Dateline,
    Frame,
    ItemContent,
    MailOptions,
    Reason,
    RenderedBlock,
    Source,
    Span,
)
from newsletter.lib.colors import palette

TEMPLATES = Path(__file__).parents[2] / "templates" / "email"
FRAME = Frame(
    organisation="The Harbour Digest",
    postal_address="12 Quay Street, Rotterdam, Netherlands",
    contact="editor@digest.example",
    sender="The Harbour Digest",
    base_url="https://news.example",
    letter="T",
    palette=palette("#17594a"),
)
DAY = date(2026, 11, 29)
ALERT = Dateline("immediate", DAY, time(14, 5))
DAILY, WEEKLY = Dateline("daily", DAY), Dateline("weekly", DAY)
QUIET = MailOptions(locale="en", format="both", discreet=True)
OPEN = MailOptions(locale="en", format="both", discreet=False)
TEXT = MailOptions(locale="en", format="text", discreet=True)


def source(publisher: str = "Coastal Wire", on: date | None = date(2026, 11, 5), url: str = "") -> Source:
    return Source(publisher, on, url or "https://www.coastalwire.example/world/2026/11/05/harbour-5649563.html")


def item_content(
    number: int = 1,
    title: str = "A title",
    html: str = "<p>A text.</p>",
    *,
    sources: tuple[Source, ...] | None = None,
    lang: str = "en",
    url: str | None = None,
    text: str | None = None,
) -> ItemContent:
    return ItemContent(
        item_id=number,
        version=1,
        title=title,
        text=plain(html) if text is None else text,
        html=html,
        url=f"https://digest.example/2026/11/post-{number}/" if url is None else url,
        sources=(source(),) if sources is None else sources,
        lang=lang,
        published_at=datetime(2026, 11, 6, 15, 20, tzinfo=UTC),
    )


def plain(html: str) -> str:
    """As the feeds room makes it: blocks apart by blank lines, list items with a star."""
    apart = re.sub(r"</(p|ul|ol|blockquote|table|h\d|pre)>", "\n\n", re.sub(r"<li>", "\n* ", html))
    return entities.unescape(re.sub(r"<[^>]+>", "", apart)).strip()


def spans(of: ItemContent, *words: str) -> tuple[Span, ...]:
    """Where `words` stand in title and text."""
    return tuple(
        Span(field, match.start(), match.end())
        for field, where in (("title", of.title), ("text", of.text))
        for word in words
        for match in re.finditer(re.escape(word), where)
    )


def paragraphs(text: str) -> str:
    return "".join(f"<p>{' '.join(part.split())}</p>" for part in inspect.cleandoc(text).split("\n\n"))


ENGLISH = item_content(
    1,
    "Harbour Cameras Can Tell Uyghur Passengers Apart, Engineers Say",
    paragraphs("""
    Two engineers who worked on the passenger terminal in <strong>Linhai</strong> say that its cameras sort
    travellers by their looks. The word “Uyghur” stood in a table of settings that they showed to Coastal Wire,
    next to the Chinese characters 维吾尔.

    A spokeswoman for the port called the table “an old test”. She did not say whether the test had ended, and
    <a href="https://www.coastalwire.example/documents/port-of-linhai/terminal-settings-2026-11-03.pdf">the file</a>
    was gone from the server an hour later.
    """)
    + "<ul><li>The table names eleven groups; <em>Uighur</em> comes first.</li>"
    "<li>Nine other ports bought the same system.</li></ul>"
    "<blockquote><p>We were told to make it faster, not to ask what it was for.</p></blockquote>",
)
CHINESE = item_content(
    2,
    "临海港口的摄像头能辨认维吾尔旅客",
    paragraphs("""
    两名工程师表示，客运大楼的摄像系统会按照旅客的外貌进行分类。他们出示的一份设置表格中写有“维吾尔”一词。

    港口发言人称这份表格只是“过去的测试”，但没有说明测试是否已经结束。
    """),
    lang="zh",
    sources=(source("海岸通讯社", date(2026, 11, 5), "https://zh.coastalwire.example/a/5649563"),),
)
UYGHUR = item_content(
    3,
    "ئۈرۈمچىدىكى كونا كىتابخانا قايتا ئېچىلدى",
    paragraphs("""
    شەھەردىكى ئەڭ كونا كىتابخانا ئۈچ يىللىق رېمونتتىن كېيىن قايتا ئېچىلدى. كىتابخانىدا ئۇيغۇر تىلىدىكى
    مىڭدىن ئارتۇق قوليازما ساقلانماقتا.

    كىتابخانا باشقۇرغۇچىسى «بۇ كىتابلار ھەممىمىزنىڭ» دېدى. ئۇنىڭ ئېيتىشىچە، Coastal Wire مۇخبىرلىرى بىرىنچى
    كۈنى 2400 دىن ئارتۇق ئوقۇرمەن كەلگەنلىكىنى خەۋەر قىلغان.
    """)
    + "<ul><li>كىتابخانا دۈشەنبە كۈنى تاقىلىدۇ.</li><li>كىرىش ھەقسىز.</li></ul>",
    lang="ug",
    sources=(source("ساھىل خەۋەرلىرى", date(2026, 11, 4), "https://ug.coastalwire.example/library"),),
)
RUSSIAN = item_content(
    4,
    "Порт отказался назвать поставщика камер",
    paragraphs("""
    Администрация порта не назвала компанию, которая поставила камеры для пассажирского терминала. Журналисты
    обнаружили, что оборудование для уйгурских проверок закупалось через посредника.

    По словам юристов, договор должен быть опубликован до конца года.
    """),
    lang="ru",
    sources=(source("Прибрежный вестник", date(2026, 11, 6), "https://ru.coastalwire.example/port"),),
)
TOLD_ONCE = item_content(
    5,
    "Nine Ports Bought the Same System, Invoices Show",
    paragraphs("""
    Invoices seen by two newspapers name nine ports that bought the camera system of Linhai between 2023 and 2026.
    The largest order came from a company that belongs to Huawei’s former head of sales.
    """),
    sources=(source("The Quay Times", date(2026, 11, 6), "https://quaytimes.example/ports"),),
)
TOLD_AGAIN = item_content(
    6,
    "“Old Test” Was Sold Nine Times",
    paragraphs("""
    What a port spokeswoman called an old test was sold to nine ports, invoices show. Huawei said that it has no
    business with the seller.
    """),
    sources=(
        source("The Quay Times", date(2026, 11, 6), "https://quaytimes.example/ports"),
        source("", date(2026, 11, 7), "https://www.minutes.example/2026/11/07/council"),
    ),
)
AWKWARD = item_content(
    7,
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    " & <b>“Friends”</b>: what @@nl-unsubscribe@@ =?utf-8?q?x=0D=0ABcc:a@b.example?= has to do with it",
    "<h1>A table that is too wide</h1>"
    "<table><thead><tr><th>Port</th><th>Supplier</th><th>Contract number</th><th>Cameras</th><th>Price</th><th>Signed</th>"
    "</tr></thead><tbody><tr><td>Linhai</td><td>Seemannsgarnverarbeitungsanlagen GmbH</td>"
    "<td>CN-2026-000000000000000000001</td><td>1,204</td><td>€ 3,700,000</td><td>2026-01-31</td></tr></tbody></table>"
    '<p>See <a href="https://example.net/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?b=c&amp;d=e">'
    "https://example.net/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?b=c&amp;d=e</a>"
    ' <img src="https://pixel.example/1.gif"><a href="javascript:alert(1)">here</a> &#64;@nl-ask@@</p>'
    "<pre>one very long line of code that never ends = one very long line of code that never ends; return nothing</pre>"
    "<ol start='3'><li>third<ul><li>nested</li></ul></li></ol><script>alert(1)</script><style>p{color:red}</style>",
    lang="",
    sources=(
        source("", None, "https://user@sub.domain.example:8443/x"),
        Source("A publisher only", None, ""),
        Source("", None, ""),
    ),
)
#: The same link for everybody who gets the article for this topic.
OBJECTION = "https://news.example/objection/MDEyMzQ1Njc4OWFiY2RlZj"
UYGHUR_TOPIC = Reason("Uyghur", False, ("Uyghur", "维吾尔", "Uighur"), {"维吾尔": "Uyghur"}, OBJECTION)
PORTS_TOPIC = Reason("Ports and cameras", False, ("уйгурских",), {"уйгурских": "Uyghur"}, OBJECTION)
MANY = [Reason(f"Topic number {n}", False, (f"word{n}", f"Word{n}s"), objection_url=OBJECTION) for n in range(1, 15)]


def blocks(renderer: Renderer, look: MailOptions) -> list[RenderedBlock]:
    """The blocks of an alert: four scripts, a story of two items, and an awkward item."""
    own = Reason("Huawei", True, ("Huawei",))
    marked = {
        item.item_id: spans(item, "Uyghur", "Uighur", "维吾尔", "ئۇيغۇر", "уйгурских", "Huawei")
        for item in (ENGLISH, CHINESE, UYGHUR, RUSSIAN, TOLD_ONCE, TOLD_AGAIN)
    }
    return [
        renderer.render_block([ENGLISH], [UYGHUR_TOPIC], marked, look),
        renderer.render_block([CHINESE], [Reason("Uyghur", False, ("维吾尔",))], marked, look),
        renderer.render_block(
            [UYGHUR], [Reason("Uyghur", False, ("ئۇيغۇر",)), Reason("كىتاب", True, ("كىتابخانا",))], marked, look
        ),
        renderer.render_block([RUSSIAN], [PORTS_TOPIC], marked, look),
        renderer.render_block([TOLD_ONCE, TOLD_AGAIN], [own], marked, look),
        renderer.render_block([AWKWARD], MANY, {}, look),
    ]
