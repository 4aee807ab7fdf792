"""What the ledger forgets of somebody at once, when they are erased: the words of their own mails, and what was given to them."""

from newsletter.delivery.retention import GIVEN_ITEMS
from newsletter.lib import db

# By occasion, because a person's deliveries have no index of their own; words that others got too stay for these.
_OWN_WORDS = """
DELETE FROM edition_body WHERE edition_id IN (
  SELECT d.edition_id FROM occasion o JOIN delivery d ON d.occasion_id=o.id AND d.subscriber_id=%(who)s
) AND NOT EXISTS (
  SELECT 1 FROM delivery x WHERE x.edition_id=edition_body.edition_id AND x.subscriber_id<>%(who)s
)"""
_GIVEN = f"DELETE FROM delivery_item WHERE subscriber_id=%(who)s AND item_id IN ({GIVEN_ITEMS})"


def erase_mails(subscriber_id: int) -> None:
    """Delete the words of mails that nobody else got, and which items went to this person. In the caller's transaction.

    Their deliveries stay, by a number that leads to nobody, until they are pruned.
    """
    db.execute(_OWN_WORDS, {"who": subscriber_id})
    upto = db.rows("SELECT max(item_id) FROM delivery_item")[0][0]
    db.execute(_GIVEN, {"who": subscriber_id, "upto": upto or 0})
