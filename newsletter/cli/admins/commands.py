"""Commands for the accounts of the desk. A link is printed once, and nothing stores it."""

from typing import Annotated

import typer

from newsletter import wiring
from newsletter.admins import account_list, accounts, tokens
from newsletter.admins.links import AccountLink
from newsletter.audit import actor
from newsletter.cli.output import Json, example, misuse, or_fail, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.lib import db, urls
from newsletter.models import Admin

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name they sign in with; not an address.")]
Role = Annotated[str, typer.Option(help="editor: feeds, topics, items and mailings; owner: everything.")]
MaySend = Annotated[bool, typer.Option("--may-send", help="Let this editor send messages.")]


@app.command(epilog=example("admin create maria"))
def create(name: Name, json: Json = False) -> None:
    """Add an owner, and print the link that sets the password."""
    ready()
    added = or_fail(accounts.create(name, role=Admin.Role.OWNER, actor=actor.from_command(), now=db.now()))
    _print_link(added, json, f"{added.name} is an owner")


@app.command(epilog=example("admin invite jonas --role editor", "admin invite jonas --role editor --may-send"))
def invite(name: Name, role: Role = Admin.Role.EDITOR, may_send: MaySend = False, json: Json = False) -> None:
    """Add a colleague, and print the link that sets the password."""
    ready()
    added = or_fail(
        accounts.create(name, role=_role(role), may_send=may_send, actor=actor.from_command(), now=db.now())
    )
    _print_link(added, json, f"{added.name} is an {added.role}")


@app.command("list", epilog=example("admin list"))
def list_admins(json: Json = False) -> None:
    """List all admins."""
    ready()
    columns = {
        "Name": lambda row: row.name,
        "Role": lambda row: row.role,
        "Sends": lambda row: "yes" if row.may_send else "",
        "State": lambda row: row.state,
        "Second factor": lambda row: ", ".join(row.second_factors) or "-",
        "Last seen": lambda row: row.last_seen,
    }
    rows = account_list.list_accounts(now=db.now())
    table(rows, json, columns, empty="No admins: 'newsletter admin create NAME' adds the first.")


@app.command(epilog=example("admin edit jonas --role owner", "admin edit jonas --may-send"))
def edit(
    name: Name,
    role: Annotated[str, typer.Option(help="editor or owner.")] = "",
    may_send: Annotated[
        bool | None, typer.Option("--may-send/--no-may-send", help="Give the right to send messages, or take it.")
    ] = None,
    json: Json = False,
) -> None:
    """Change an admin's role, or the right to send messages."""
    ready()
    if not role and may_send is None:
        misuse("say what to change: --role, --may-send or --no-may-send")
    who = actor.from_command()
    if role:
        or_fail(accounts.set_role(name, _role(role), actor=who, now=db.now()))
    if may_send is not None:
        or_fail(accounts.set_may_send(name, may_send, actor=who, now=db.now()))
    admin = Admin.objects.get(username__iexact=name)
    sends = "may send messages" if admin.sends else "may not send messages"
    document = {"name": admin.username, "role": admin.role, "may_send": admin.sends}
    result(document, json, f"{admin.username} is an {admin.role} and {sends}")


@app.command(epilog=example("admin disable jonas"))
def disable(name: Name, json: Json = False) -> None:
    """End an admin's sessions, and let them sign in no longer."""
    ready()
    admin = or_fail(accounts.disable(name, actor=actor.from_command(), now=db.now()))
    made = tokens.still_used_from(admin.username, now=db.now())
    document = {"name": admin.username, "active": False, "tokens": made}
    lines = [f"{admin.username} is signed out and cannot sign in"]
    if made:
        lines.append(f"tokens that they made still work: {', '.join(made)}; 'newsletter tokens revoke NAME' ends one")
    result(document, json, *lines)


@app.command(epilog=example("admin enable jonas"))
def enable(name: Name, json: Json = False) -> None:
    """Let a disabled admin sign in again."""
    ready()
    admin = or_fail(accounts.enable(name, actor=actor.from_command(), now=db.now()))
    result({"name": admin.username, "active": True}, json, f"{admin.username} can sign in again")


@app.command(epilog=example("admin reset maria"))
def reset(name: Name, json: Json = False) -> None:
    """Take an admin's password and second factor away, and print a link that sets a new password."""
    ready()
    link = or_fail(accounts.reset(name, actor=actor.from_command(), now=db.now()))
    _print_link(link, json, f"{link.name} is signed out; password and second factor are removed")


def _role(role: str) -> str:
    if role not in Admin.Role.values:
        misuse("--role is editor or owner")
    return role


def _print_link(link: AccountLink, json: bool, done: str) -> None:
    url = urls.welcome_url(wiring.config().base_url, link.token)
    document = {"name": link.name, "role": link.role, "link": url, "expires_at": link.expires_at}
    result(
        document,
        json,
        done,
        "This link sets the password. It works once, until " + when(link.expires_at) + " UTC:",
        url,
    )
