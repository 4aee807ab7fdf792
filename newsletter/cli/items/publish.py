"""Commands that publish an item by hand, correct it, and withdraw it."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import uuid4

import typer

from newsletter.audit import actor
from newsletter.cli.output import Json, counted, example, fail, misuse, or_fail, read_file, result
from newsletter.cli.service.migrations import ready
from newsletter.feeds import publish as hand
from newsletter.feeds.hand_draft import LONGEST, HandDraft
from newsletter.lib import db
from newsletter.models import DeliveryItem

app = typer.Typer()

_File = Annotated[str, typer.Argument(metavar="FILE", help="The text in Markdown; - is standard input.")]
_Number = Annotated[int, typer.Argument(metavar="ITEM", min=1, help="The item's number.")]
_Title = Annotated[str, typer.Option(help="The headline. Without it, the first line of FILE that is a heading.")]
_Publisher = Annotated[str, typer.Option(help="Who published the original.")]
_Day = Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="When: 2026-11-20.")]
_Link = Annotated[str, typer.Option(help="Where the original can be read.")]
_Language = Annotated[str, typer.Option(help="The language of the text: a code such as en.")]


@app.command(
    epilog=example(
        "items publish hearing.md --publisher 'The Paper' --date 2026-11-20 --link https://paper.example/hearing",
        "items publish - --title 'A hearing' < hearing.md",
    )
)
def publish(
    file: _File,
    title: _Title = "",
    publisher: _Publisher = "",
    date: _Day = None,
    link: _Link = "",
    language: _Language = "en",
    json: Json = False,
) -> None:
    """Publish an item by hand: it is matched and mailed like an item of a feed."""
    ready()
    text, heading = _text(file)
    draft = HandDraft(title or heading, text, publisher, date.date() if date else None, link, language)
    item = or_fail(hand.publish(draft, token=uuid4(), actor=actor.from_command(), now=db.now()))
    result(item, json, f"item {item.item_id} is published: {item.title}", "It is matched within a minute.")


@app.command(epilog=example("items correct 12 hearing.md", "items correct 12 hearing.md --date 2026-11-21"))
def correct(
    item: _Number,
    file: _File,
    title: _Title = "",
    publisher: Annotated[str | None, typer.Option(help="Who published the original; unchanged without it.")] = None,
    date: _Day = None,
    link: Annotated[str | None, typer.Option(help="Where the original can be read; unchanged without it.")] = None,
    json: Json = False,
) -> None:
    """Correct an item that was published by hand."""
    ready()
    before = or_fail(hand.typed(item))
    text, heading = _text(file)
    draft = replace(
        before,
        title=title or heading or before.title,
        markdown=text,
        publisher=before.publisher if publisher is None else publisher,
        published_on=date.date() if date else before.published_on,
        url=before.url if link is None else link,
    )
    after = or_fail(hand.correct(item, draft, actor=actor.from_command(), now=db.now()))
    mailed = DeliveryItem.objects.filter(item_id=item).exists()
    result(
        after,
        json,
        f"item {item} is version {after.version} now: {after.title}" if after.changed else "no change: it is as it was",
        *(["Whoever has it in a mail keeps that mail; a changed name, number or quotation reaches others."] * mailed),
    )


@app.command(epilog=example("items withdraw 12"))
def withdraw(item: _Number, json: Json = False) -> None:
    """Take back an item that was published by hand and is in no mail yet."""
    ready()
    gone = or_fail(hand.withdraw(item, actor=actor.from_command(), now=db.now()))
    result(gone, json, f"item {item} is withdrawn: nobody is mailed it")


def _text(file: str) -> tuple[str, str]:
    """The text of a file, and the heading that it begins with, which is not part of the text."""
    data = read_file(file, 4 * LONGEST)
    if len(data) > 4 * LONGEST:
        fail(f"{file} is larger than {counted(4 * LONGEST, 'byte')}: make it several items")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        misuse(f"{file} is not UTF-8: save the file as UTF-8")
    first, _, rest = text.lstrip().partition("\n")
    return (rest, first.removeprefix("# ").strip()) if first.startswith("# ") else (text, "")
