"""What the ledger forgets of somebody at once, when they are erased: the words of their own mails, and what was given to them."""

from dataclasses import dataclass

from newsletter.delivery.ledger.given_items import GIVEN_ITEMS
from newsletter.lib import db

# By occasion, because a person's deliveries have no index of their own; words that others got too stay for these.
_OWN = """edition_id IN (
  SELECT d.edition_id FROM occasion o JOIN delivery d ON d.occasion_id=o.id AND d.subscriber_id=%(who)s
) AND NOT EXISTS (
  SELECT 1 FROM delivery x WHERE x.edition_id=edition_body.edition_id AND x.subscriber_id<>%(who)s
)"""
_THEIRS = f"subscriber_id=%(who)s AND item_id IN ({GIVEN_ITEMS})"


@dataclass(frozen=True)
class MailsOfErased:
    """What erasing somebody concerns in the ledger, in rows: `bodies` and `articles` go, `deliveries` stay by number."""

    bodies: int
    articles: int
    deliveries: int


def mails_of_erased(subscriber_id: int) -> MailsOfErased:
    """What `erase_mails` would delete, and what would stay until it is pruned."""
    who = {"who": subscriber_id}
    upto = db.rows("SELECT max(item_id) FROM delivery_item")[0][0]
    ((bodies,),) = db.rows(f"SELECT count(*) FROM edition_body WHERE {_OWN}", who)
    ((articles,),) = db.rows(f"SELECT count(*) FROM delivery_item WHERE {_THEIRS}", who | {"upto": upto or 0})
    ((deliveries,),) = db.rows(
        "SELECT count(*) FROM occasion o JOIN delivery d ON d.occasion_id=o.id AND d.subscriber_id=%(who)s", who
    )
    return MailsOfErased(bodies, articles, deliveries)


def erase_mails(subscriber_id: int) -> None:
    """Delete the words of mails that nobody else got, and which items went to this person. In the caller's transaction.

    Their deliveries stay, by a number that leads to nobody, until they are pruned.
    """
    db.execute(f"DELETE FROM edition_body WHERE {_OWN}", {"who": subscriber_id})
    upto = db.rows("SELECT max(item_id) FROM delivery_item")[0][0]
    db.execute(f"DELETE FROM delivery_item WHERE {_THEIRS}", {"who": subscriber_id, "upto": upto or 0})
