"""Rendered mails: what they contain, in which order, and what they must never contain."""

import re
import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.policy import default
from urllib.parse import urlsplit

import pytest
from jinja2 import UndefinedError

from newsletter.editions.rendering.notice_texts import notice_subject
from newsletter.editions.rendering.renderer import Renderer
from newsletter.editions.rendering.text_format import direction, host, long_date, web_link
from newsletter.editions.rendering.values import Reason, Source, Span
from newsletter.lib.mail import headers, message, placeholders
from newsletter.lib.mail.placeholders import resolve_second_copy
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel
from tests.editions import stories
from tests.editions.stories import ALERT, DAILY, FRAME, OPEN, QUIET, TEMPLATES, TEXT, WEEKLY, item_content, source

RENDERER = Renderer(TEMPLATES, FRAME)
TOPIC = [Reason("Uyghur", False, ("Uighur", "Uyghurs"))]
PLACE = re.compile(r"@@nl-(\w+)@@")
NOTICES = ("confirm", "add", "manage")


def block(*items, reasons=TOPIC, look=QUIET, spans=None):
    return RENDERER.render_block(items or [item_content()], reasons, spans or {}, look)


def seen(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<(style|title).*?</\1>", "", html, flags=re.S)).split())


def hrefs(html: str) -> list[str]:
    return re.findall(r'href="([^"]*)"', html)


@pytest.mark.parametrize(
    ("dateline", "heading", "subject"),
    [
        (ALERT, "Your update", "Your update, 29 November 2026, 14:05 UTC"),
        (DAILY, "Your daily digest", "Your daily digest, 29 November 2026"),
        (WEEKLY, "Your weekly digest", "Your weekly digest, 29 November 2026"),
    ],
)
def test_discreet_subject_and_preview_reveal_no_content(dateline, heading: str, subject: str) -> None:
    letter = RENDERER.render_letter(dateline, QUIET, stories.blocks(RENDERER, QUIET))
    assert letter.subject == subject
    preview = re.search(r'class="preview"[^>]*>(.*?)</div>', letter.html, re.S)
    assert preview is not None
    assert preview[1].rstrip("\u034f\u2007") == "6 articles from The Harbour Digest."
    assert len(preview[1]) > 200
    before_titles = letter.text.partition("1. ")[0]
    assert len(before_titles) > 140
    assert not re.search("Uyghur|Harbour Cameras|Huawei", before_titles)
    assert re.search(rf"<title>{heading}</title>", letter.html)
    assert before_titles.startswith(f"{heading}\n")


def test_subject_has_headlines_unless_discreet() -> None:
    blocks = stories.blocks(RENDERER, OPEN)
    assert RENDERER.render_letter(ALERT, OPEN, blocks[:1]).subject == stories.ENGLISH.title
    three = RENDERER.render_letter(DAILY, OPEN, blocks[:3]).subject
    assert three == f"{stories.ENGLISH.title} (and 2 more articles)"
    long = block(item_content(title="word " * 60), look=OPEN)
    subject = RENDERER.render_letter(ALERT, OPEN, [long, long]).subject
    assert len(subject) <= 120
    assert subject.endswith("word… (and 1 more article)")


def test_right_to_left_headline_is_isolated_in_the_subject() -> None:
    blocks = stories.blocks(RENDERER, OPEN)[2:4]
    subject = RENDERER.render_letter(ALERT, OPEN, blocks).subject
    assert subject == f"\u2068{stories.UYGHUR.title}\u2069 (and 1 more article)"


def test_block_has_full_item_with_source_post_and_reason() -> None:
    item = item_content(
        title="A title",
        html="<p>First.</p><p>Last.</p>",
        sources=(source("Voice of the Coast", date(2020, 11, 5), "https://www.voice.example/a?b=c&d=e"),),
    )
    rendered = block(item)
    assert "A title First. Last. Read it on digest.example" in seen(rendered.html)
    assert "Source: Voice of the Coast , 5 November 2020 ( voice.example )" in seen(rendered.html)
    assert "Why you get this: topic Uyghur (“ Uighur ”, “ Uyghurs ”)" in seen(rendered.html)
    assert hrefs(rendered.html) == [item.url, item.url, "https://www.voice.example/a?b=c&amp;d=e"]
    assert rendered.text.strip().splitlines() == [
        "* * *", "", "A title", "", "First.", "", "Last.", "", f"Read it on digest.example: {item.url}", "",
        "Source: Voice of the Coast, 5 November 2020", "https://www.voice.example/a?b=c&d=e", "",
        "Why you get this: topic Uyghur (“Uighur”, “Uyghurs”)",
    ]  # fmt: skip
    assert rendered.title == "A title"


def test_story_is_one_block_with_each_source_once() -> None:
    rendered = block(stories.TOLD_ONCE, stories.TOLD_AGAIN)
    assert (rendered.html.count("<h2"), rendered.html.count("<h3")) == (1, 1)
    assert (
        rendered.html.count("https://quaytimes.example/ports")
        == rendered.text.count("https://quaytimes.example/ports")
        == 1
    )
    assert rendered.html.count("https://www.minutes.example/2026/11/07/council") == 1
    assert rendered.html.count("Why you get this:") == rendered.text.count("Why you get this:") == 1
    for item in (stories.TOLD_ONCE, stories.TOLD_AGAIN):
        assert item.text.split(".")[0] in seen(rendered.html)
        assert f"Read it on digest.example: {item.url}" in rendered.text
    assert rendered.title == stories.TOLD_ONCE.title


def test_matched_words_are_marked_in_title_and_text() -> None:
    item = item_content(title="Cats and dogs", html="<p>A cat, <em>Cats</em> &amp; dogs.</p>")
    rendered = block(item, spans={item.item_id: stories.spans(item, "Cats")})
    assert re.findall(r"<mark[^>]*>(.*?)</mark>", rendered.html) == ["Cats", "Cats"]
    assert "mark" not in rendered.text


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([Reason("维吾尔", True, ("维吾尔",))], "Why you get this: keyword 维吾尔"),
        ([Reason("huawei", True, ("Huawei",))], "Why you get this: keyword huawei"),
        ([Reason("a OR b", True, ("A", "b"))], "Why you get this: keyword a OR b (“A”, “b”)"),
        ([Reason("X", False, ()), Reason("Y", False, ("y",))], "Why you get this: topic X; topic Y (“y”)"),
        ([Reason("X", False, tuple("abcdefghij"))], "“g”, “h” and 2 more)"),
        ([Reason("X", False, ("维吾尔",), {"维吾尔": "Uyghur"})], "Why you get this: topic X (“维吾尔” for Uyghur)"),
        ([Reason("Uyghur", False, ("维吾尔",), {"维吾尔": "uyghur"})], "Why you get this: topic Uyghur (“维吾尔”)\n"),
        (
            [Reason("X", False, ("x",), {}, "https://a.example/o/t")],
            "Why you get this: topic X (“x”)\nNot about X? https://a.example/o/t\n",
        ),
    ],
)
def test_reasons_as_text(reasons: list[Reason], expected: str) -> None:
    assert expected in block(reasons=reasons).text


def test_missing_parts_are_left_out() -> None:
    bare = item_content(title=" ", html="<p>Only words.</p>", url="", sources=(Source("", None, ""),), lang="")
    rendered = block(bare, reasons=[])
    assert rendered.title == "Only words."
    assert "Source" not in rendered.text + rendered.html
    assert hrefs(rendered.html) == []
    assert "None" not in rendered.text + rendered.html
    assert " lang=" not in rendered.html
    assert block(item_content(title="", html="", text="")).title == "Without a title"
    with pytest.raises(ValueError, match="at least one"):
        RENDERER.render_block([], TOPIC, {}, QUIET)


@pytest.mark.parametrize("kind", ["alert", *NOTICES])
def test_order_and_placeholders_of_a_mail(kind: str) -> None:
    if kind == "alert":
        mail_ = RENDERER.render_letter(ALERT, QUIET, [block()])
        wanted = ["ask", "unsubscribe", "reference"]
    else:
        mail_ = RENDERER.render_notice(kind, QUIET)
        wanted = ["link", "reference"]
    for body in (resolve_second_copy(mail_.text, second=False), resolve_second_copy(mail_.html, second=True)):
        assert list(dict.fromkeys(PLACE.findall(body))) == wanted
        for words in (FRAME.organisation, FRAME.postal_address, FRAME.contact):
            assert words in body
        if kind == "alert":
            above, line, below = body.partition("Delete everything below: these links are personal.")
            assert line
            assert "Forwarding" not in below
            assert not PLACE.search(above)
            assert "digest.example/2026" in above
            assert "digest.example/2026" not in below
        else:
            assert "Forwarding" not in body
            assert "Don’t forward this email:" in body
    assert set(PLACE.findall(resolve_second_copy(mail_.html, second=True))) <= set(placeholders.PLACEHOLDERS)


@pytest.mark.parametrize("kind", NOTICES)
def test_notice_names_organisation_and_has_its_subject(kind: str) -> None:
    notice = RENDERER.render_notice(kind, QUIET)
    assert notice.subject == notice_subject(kind, FRAME.organisation)
    assert notice == RENDERER.render_notice(kind, OPEN)
    assert FRAME.organisation in notice.text
    if kind not in ("resumed", "moved"):  # their links never end
        assert ("24 hours" if kind == "manage" else "7 days") in notice.text
    assert RENDERER.render_notice(kind, TEXT).html == ""


def test_text_format_has_no_html() -> None:
    rendered = block(look=TEXT)
    letter = RENDERER.render_letter(WEEKLY, TEXT, [rendered])
    assert (rendered.html, letter.html) == ("", "")
    assert "A text." in letter.text


def test_hostile_content_is_escaped() -> None:
    """Titles, publishers, names and bodies may hold anything: markup, personal places, encoded words, bidi overrides."""
    evil = "</td><script>x</script>@@nl-unsubscribe@@ =?utf-8?q?x=0D=0ABcc:a@b.example?=\r\nBcc: x\u202e"
    item = item_content(
        title=evil,
        html=f"<p>{evil} &#64;@nl-ask@@ @<img src=x>@nl-link@@</p><!-- blocks --><!-- preview -->",
        url=f"https://digest.example/{evil}",
        lang='"><script>',
        sources=(Source(evil, None, "javascript:alert(1)"), Source(evil, None, "https://x.example/@@nl-link@@")),
    )
    rendered = block(item, reasons=[Reason(evil, True, (evil,)), Reason(evil, False, (evil,))], look=OPEN)
    letter = RENDERER.render_letter(ALERT, OPEN, [rendered, rendered, rendered])
    for body in (rendered.html, rendered.text, rendered.title, letter.subject):
        assert not PLACE.search(body)
        assert not re.search(r"=\?utf-8\?", body)
    assert not re.search(r"<script|javascript:|<!-- (blocks|preview)|<img", letter.html)
    assert not re.search(r"[\r\n\u202e]", letter.subject)
    assert sorted(PLACE.findall(resolve_second_copy(letter.html, second=True))) == ["ask", "reference", "unsubscribe"]


def test_every_link_is_of_an_article_or_a_placeholder() -> None:
    letter = RENDERER.render_letter(ALERT, QUIET, stories.blocks(RENDERER, QUIET))
    known = {"digest.example", "example.net", "sub.domain.example", "quaytimes.example", "www.minutes.example"}
    for href in hrefs(letter.html):
        if href.startswith(("@@nl-", "mailto:editor@")) or href == stories.OBJECTION:
            continue
        name = urlsplit(href).hostname or ""
        assert name in known or name.endswith("coastalwire.example"), href
    assert not re.search(r"<(img|link|script|iframe)|url\(|@import|src=", letter.html)
    assert "{{" not in letter.html + letter.text
    assert "{%" not in letter.html + letter.text


def test_each_item_has_direction_and_language() -> None:
    rendered = block(stories.UYGHUR)
    opened = [tag for tag in re.findall(r"<[^>]*>", rendered.html) if 'lang="ug"' in tag and 'dir="rtl"' in tag]
    assert [tag.split()[0] for tag in opened] == ["<h2", "<div"]
    # written in Latin letters, whatever the feed says of the language
    assert 'dir="ltr"' in block(item_content(title="Uyghur Ereb Yëziqi", html="<p>Latin</p>", lang="ug")).html
    assert direction("12", "ar") == "rtl"
    assert direction("", "en-US") == "ltr"
    assert "words han" in block(stories.CHINESE).html


def test_text_formats() -> None:
    assert long_date(date(2020, 11, 5), "de") == "5. November 2020"
    assert long_date(date(2020, 11, 5), "zh-Hans") == "2020年11月5日"
    assert long_date(date(2020, 11, 5), "en") == long_date(date(2020, 11, 5), "no such locale") == "5 November 2020"
    assert host("https://good.example@www.evil.example:8443/") == "evil.example"
    assert [web_link(url) for url in ("ftp://a.example", "https://", "https://a b", "//a", "http://[")] == [""] * 5


def test_revision_changes_with_template_style_and_frame(tmp_path) -> None:
    for path in TEMPLATES.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert Renderer(tmp_path, FRAME).revision == RENDERER.revision
    assert Renderer(tmp_path, replace(FRAME, postal_address="Elsewhere")).revision != RENDERER.revision
    (tmp_path / "screen.css").write_text("/* other */")
    assert Renderer(tmp_path, FRAME).revision != RENDERER.revision


def test_undefined_template_variable_raises(tmp_path) -> None:
    for path in TEMPLATES.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "block.txt.j2").write_text("{{ nobody.knows }}")
    with pytest.raises(UndefinedError):
        Renderer(tmp_path, FRAME).render_block([item_content()], TOPIC, {}, QUIET)


def test_organisation_is_escaped_and_address_optional() -> None:
    renderer = Renderer(TEMPLATES, replace(FRAME, organisation="Salt & <Pepper>", postal_address=""))
    letter = renderer.render_letter(ALERT, QUIET, [block()])
    assert "Salt &amp; &lt;Pepper&gt;" in letter.html
    assert "Salt & <Pepper>\nQuestions?" in letter.text


def test_renderer_is_thread_safe() -> None:
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(block().html)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [block().html] * 4


def test_rendered_mail_survives_mime_round_trip() -> None:
    words = RENDERER.render_letter(ALERT, OPEN, stories.blocks(RENDERER, OPEN))
    letter = Letter(1, "alert", words.subject, words.text, words.html)
    personal = {name: f"https://news.example/{name}/token" for name in placeholders.PLACEHOLDERS}
    parcel = Parcel(
        1, Address("reader@example.org"), letter, personal, "a@example.org", "a", "https://news.example/one"
    )
    sender = headers.SenderIdentity(
        FRAME.sender, "digest@example.org", FRAME.organisation, FRAME.contact, FRAME.base_url
    )
    raw = message.prepare(letter, sender).message(parcel, datetime(2026, 11, 24, tzinfo=UTC))
    read = message_from_bytes(raw, policy=default)
    assert read["Subject"] == words.subject
    for kind, words_of_kind in (("plain", words.text), ("html", words.html)):
        body = read.get_body((kind,))
        assert body is not None
        for name, value in personal.items():
            words_of_kind = words_of_kind.replace(f"@@nl-{name}@@", value)
        assert body.get_content().split() == words_of_kind.split()


@pytest.mark.parametrize("text", ["Harbour!", "Harbour!\n"])
def test_post_that_is_only_a_title_is_not_repeated(text: str) -> None:
    whole = replace(item_content(), title="Harbour!", text=text, html=f"<p>{text}</p>")
    block = RENDERER.render_block([whole], [], {whole.item_id: [Span("text", 0, 7)]}, OPEN)
    assert block.text.count("Harbour!") == 1
    assert seen(block.html).count("Harbour") == 1


def test_text_follows_a_title_made_from_its_first_sentence() -> None:
    longer = replace(item_content(), title="Harbour!", text="Harbour! It froze.", html="<p>Harbour! It froze.</p>")
    block = RENDERER.render_block([longer], [], {}, OPEN)
    assert "Harbour! It froze." in block.text and "It froze." in block.html


def test_footer_claims_only_what_is_known() -> None:
    letter = RENDERER.render_letter(ALERT, OPEN, stories.blocks(RENDERER, OPEN))
    assert "confirmed" not in letter.text + letter.html
    assert "this address is subscribed to The Harbour Digest." in letter.text
