"""Commands for the tokens of the API. A token is printed once, and nothing stores it."""

from datetime import timedelta
from typing import Annotated

import typer

from newsletter.admins import tokens
from newsletter.audit import actor
from newsletter.cli.output import Json, example, or_fail, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.lib import db

app = typer.Typer()


@app.command(
    epilog=example("tokens create 'nightly report' --scope read", "tokens create shop --scope people --days 90")
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for; stands in the audit log.")],
    scope: Annotated[list[str], typer.Option(help="read, topics, items, sending, or people alone; may be repeated.")],
    days: Annotated[
        int, typer.Option(min=1, max=tokens.LONGEST.days, help="How long it is valid.")
    ] = tokens.USUAL.days,
    json: Json = False,
) -> None:
    """Make a token, and print it. It is shown only now."""
    ready()
    now = db.now()
    made = or_fail(
        tokens.create(name, scope, expires_at=now + timedelta(days=days), actor=actor.from_command(), now=now)
    )
    document = {"name": name, "scopes": made.scopes, "expires_at": made.expires_at, "token": made.secret}
    result(
        document,
        json,
        f"token {name} ({', '.join(made.scopes)}), valid until {when(made.expires_at)} UTC:",
        made.secret,
    )


@app.command("list", epilog=example("tokens list"))
def list_tokens(json: Json = False) -> None:
    """List the tokens of the API: what they allow, who made them, when they were used last."""
    ready()
    now = db.now()
    columns = {
        "Name": lambda row: row.name,
        "Begins with": lambda row: row.prefix,
        "Scopes": lambda row: ", ".join(row.scopes),
        "State": lambda row: tokens.state(row, now=now),
        "Made by": lambda row: row.made_by,
        "Expires": lambda row: row.expires_at,
        "Last used": lambda row: row.last_used_at,
    }
    if json:
        names = ("name", "prefix", "scopes", "made_by", "created_at", "expires_at", "last_used_at", "revoked_at")
        rows = [{name: getattr(row, name) for name in names} for row in tokens.list_tokens()]
        result(rows, json)
        return
    table(
        tokens.list_tokens(), json, columns, empty="No tokens: 'newsletter tokens create NAME --scope read' makes one."
    )


@app.command(epilog=example("tokens revoke 'nightly report'"))
def revoke(name: Annotated[str, typer.Argument(metavar="NAME", help="The token's name.")], json: Json = False) -> None:
    """Let a token do nothing any more, at once and for good."""
    ready()
    token = or_fail(tokens.revoke(name, actor=actor.from_command(), now=db.now()))
    result({"name": token.name, "revoked": True}, json, f"token {token.name} is revoked")
