"""Every command: its name, its help in one line, the module that holds it, and the task under which help lists it.

Help pages and completion read this table alone; a module is imported when its command is called. `tests/cli/test_lazy_import.py`
checks that the modules say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Command:
    """A command: its module below `newsletter.cli`, whose `app` has it, and the first sentence of its help."""

    module: str
    help: str


@dataclass(frozen=True)
class Group:
    """Commands below one word."""

    title: str
    commands: Mapping[str, Command]
    #: Task → names of the commands for it. Without tasks, help lists all under one heading.
    tasks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def help(self) -> str:
        """The group's title and what it can do."""
        return f"{self.title}: {', '.join(self.commands)}."


# fmt: off
COMMANDS: Mapping[str, Command | Group] = {
    "run": Command("service.serve", "Start the whole service in one process: web pages, worker and beat."),
    "web": Command("service.serve", "Start the web pages only; workers and beat run beside it."),
    "demo": Command("demo.commands", "Show the service at work with sample feeds, topics and subscribers."),
    "sample-feed": Command("demo.commands", "Serve a sample feed on this machine, to try things without the internet."),
    "once": Command("service.operations", "Process everything that is due, then exit."),
    "migrate": Command("service.operations", "Bring the tables to this version and check the keys."),
    "status": Command("service.operations", "Show whether the service runs, what it did today, and what needs you."),
    "doctor": Command("service.operations", "Examine the installation and say what to do."),
    "match": Command("topics.match", "Show which stored items match a query, and which of their words."),
    "explain": Command("topics.match", "Show why an item matches a topic, or which part of the query it does not match."),
    "feeds": Group("Feeds", {
        "check": Command("feeds.check", "Show what is at URL, how its newest entries would be cut into items, and why."),
        "add": Command("feeds.commands", "Add the feed at URL, or the feed of the web page there."),
        "list": Command("feeds.listing", "List all feeds and their health."),
        "show": Command("feeds.show", "Show a feed: its health, its last fetches, and its newest entries with their items."),
        "edit": Command("feeds.commands", "Change a feed's title, how it is cut, or which entries it lets through."),
        "pause": Command("feeds.commands", "Stop polling a feed."),
        "resume": Command("feeds.commands", "Poll a feed again."),
        "remove": Command("feeds.commands", "Remove a feed with its entries and items."),
        "refresh": Command("feeds.refresh", "Poll feeds now, whether they are due or not."),
        "backfill": Command("feeds.backfill", "Read a feed's archive, older page by older page."),
        "incidents": Command("feeds.backfill", "List what you should know about feeds; 'close' closes one."),
        "import": Command("feeds.import_export", "Add the feeds of an OPML file."),
        "export": Command("feeds.import_export", "Write all feeds as an OPML 2.0 file."),
    }, {
        "Add and change": ("check", "add", "edit", "pause", "resume", "remove"),
        "See how they are": ("list", "show", "incidents"),
        "Read now": ("refresh", "backfill"),
        "Files": ("import", "export"),
    }),
    "topics": Group("Topics", {
        "add": Command("topics.commands", "Add a topic."),
        "list": Command("topics.listing", "List all topics."),
        "show": Command("topics.commands", "Show a topic, and the spellings that subscribers say bring wrong items."),
        "edit": Command("topics.commands", "Change a topic, and show what that does."),
        "preview": Command("topics.commands", "Show which stored items a topic or query matches, or what a new query would change."),
        "history": Command("topics.commands", "Show all revisions of a topic."),
        "compare": Command("topics.compare", "Show what differs between two revisions of a topic."),
        "revert": Command("topics.commands", "Restore revision N of a topic, as a new revision."),
        "matches": Command("topics.matches", "List the newest items of a topic, the words that matched, and whether they are mailed."),
        "hold": Command("topics.state", "Collect a topic's matches without mailing them, until you release it."),
        "release": Command("topics.state", "End a hold."),
        "retire": Command("topics.state", "Stop a topic and end its subscriptions."),
        "merge": Command("topics.state", "Retire a topic and move its followers to another one."),
        "restore": Command("topics.state", "Match a retired topic again, as a new revision."),
        "urgent": Command("topics.state", "Mark a topic urgent: an alert that stays in doubt for two hours is sent once more."),
        "import": Command("topics.import_export", "Add the topics of a YAML file."),
        "export": Command("topics.import_export", "Write all topics as a YAML file, except retired ones."),
        "packs": Command("topics.packs", "List the alias packs, or the groups of one, and check the files."),
    }, {
        "Add and change": ("preview", "add", "edit", "history", "compare", "revert"),
        "See how they are": ("list", "show", "matches", "packs"),
        "Stop and resume mail": ("hold", "release", "urgent", "merge", "retire", "restore"),
        "Files": ("import", "export"),
    }),
    "items": Group("Items", {
        "list": Command("items.listing", "List stored items, newest first, or search all of them by words."),
        "show": Command("items.listing", "Show an item: its sources, versions, and the topics that it matched or nearly matched."),
        "publish": Command("items.publish", "Publish an item by hand: it is matched and mailed like an item of a feed."),
        "correct": Command("items.publish", "Correct an item that was published by hand."),
        "withdraw": Command("items.publish", "Take back an item that was published by hand and is in no mail yet."),
    }),
    "subscribers": Group("Subscribers", {
        "list": Command("subscribers.commands", "Count subscribers by state."),
        "add": Command("subscribers.add", "Subscribe somebody."),
        "show": Command("subscribers.commands", "Show what is stored about the person with this address."),
        "edit": Command("subscribers.edit", "Change how often mail comes to a person, for some topics or for all, and when."),
        "end": Command("subscribers.edit", "End a person's subscriptions, or all mail to them."),
        "erase": Command("subscribers.commands", "Erase a person for good."),
    }),
    "mailings": Group("Mailings", {
        "list": Command("mailings.commands", "List alerts, digests and messages; those that need a decision first."),
        "show": Command("mailings.commands", "Show a mailing: when it was put together, what became of it, its editions by size."),
        "hold": Command("mailings.commands", "Keep back what has not left, until you release it."),
        "release": Command("mailings.commands", "Let mail that was kept back go."),
        "skip": Command("mailings.commands", "Cancel what has not left, for good."),
        "resend": Command("mailings.commands", "Send those that failed again."),
    }),
    "messages": Group("Messages", {
        "list": Command("messages.commands", "List messages; those that wait for somebody first."),
        "show": Command("messages.commands", "Show a message: its text, what was checked, and what became of it."),
        "write": Command("messages.commands", "Write a message as a draft."),
        "send": Command("messages.commands", "Send a draft now, which begins in five minutes, or at a time."),
        "stop": Command("messages.commands", "Keep back what has not left of a message."),
    }),
    "deliveries": Group("Deliveries", {
        "list": Command("deliveries.commands", "List deliveries by their reference."),
        "sums": Command("deliveries.commands", "Show what became of each alert and digest as a whole."),
        "explain": Command("deliveries.commands", "Show what happened to the mail with this reference at its foot, but not whose it is."),
        "retry": Command("deliveries.commands", "Send an unknown or parked mail once more."),
        "resolve": Command("deliveries.commands", "Record what became of an unknown mail, or close a parked one."),
        "release": Command("deliveries.commands", "Send again what a provider accepted and then dropped."),
    }),
    "sending": Group("Sending", {
        "list": Command("sending.commands", "Show the providers, what waits for them, and the chosen shares."),
        "pause": Command("sending.commands", "Stop sending all mail, or the mail of one provider."),
        "resume": Command("sending.commands", "Resume sending, or one provider by its name."),
        "share": Command("sending.commands", "Choose the share of people whose mail one provider sends."),
        "test": Command("sending.trial", "Send a test mail to an address, by one provider."),
        "move": Command("sending.commands", "Hand the planned mail of one provider to the other."),
    }),
    "suppressions": Group("Suppressions", {
        "list": Command("subscribers.suppressions", "List the addresses that must not be mailed, by an id that reveals nobody, with the reason."),
        "add": Command("subscribers.suppressions", "Never mail this address, until the person confirms again or you lift it."),
        "lift": Command("subscribers.suppressions", "Allow mail to an address again."),
    }),
    "tokens": Group("Tokens of the API", {
        "create": Command("tokens.commands", "Make a token, and print it."),
        "list": Command("tokens.commands", "List the tokens of the API: what they allow, who made them, when they were used last."),
        "revoke": Command("tokens.commands", "Let a token do nothing any more, at once and for good."),
    }),
    "audit": Group("Audit log", {
        "list": Command("audit.commands", "Show who changed what, newest first."),
    }),
    "admin": Group("Admins of the desk", {
        "create": Command("admins.commands", "Add an owner, and print the link that sets the password."),
        "invite": Command("admins.commands", "Add a colleague, and print the link that sets the password."),
        "list": Command("admins.commands", "List all admins."),
        "edit": Command("admins.commands", "Change an admin's role, or the right to send messages."),
        "disable": Command("admins.commands", "End an admin's sessions, and let them sign in no longer."),
        "enable": Command("admins.commands", "Let a disabled admin sign in again."),
        "reset": Command("admins.commands", "Take an admin's password and second factor away, and print a link that sets a new password."),
    }),
}

#: Task → the commands and groups for it.
TASKS: Mapping[str, tuple[str, ...]] = {
    "Try it": ("demo", "sample-feed"),
    "Run the service": ("run", "web", "once", "migrate"),
    "See how it is": ("status", "doctor"),
    "Choose what is mailed": ("feeds", "topics", "items", "match", "explain"),
    "The desk": ("admin", "tokens", "audit"),
    "Subscribers and their mail": ("subscribers", "suppressions", "mailings", "messages", "deliveries", "sending"),
}
# fmt: on
