"""Which items were given to anybody: by the primary key of `delivery_item`, a probe for each item."""

from typing import Final

#: SQL with the parameter `upto`, an item's id: the ids of all items up to it that somebody was given.
GIVEN_ITEMS: Final = """
WITH RECURSIVE given(id) AS (
  SELECT min(item_id) FROM delivery_item
  UNION ALL SELECT (SELECT min(item_id) FROM delivery_item WHERE item_id>given.id) FROM given WHERE given.id<%(upto)s
)
SELECT id FROM given WHERE id<=%(upto)s"""
