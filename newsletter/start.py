"""What every start does before anything else: a look at the keys, and the rows that must be there once."""

import secrets

from django.db import DatabaseError

from newsletter import db, wiring
from newsletter.delivery import gate
from newsletter.models import IndexState, Pulse
from newsletter.vault import KeysDoNotFit


class NotReady(Exception):
    """The service cannot start as it is; the message says what to do."""


def prepare() -> None:
    """What every start does once the tables are there: check the keys, show a first sign of life.

    Raises:
        NotReady: no database, tables missing, or keys that do not open the data.
    """
    try:
        gate.ensure(wiring.vault())
        gate.guard(wiring.config().data_dir, now=db.now())
        # begun at random: an index compiled for another database must never look like this one's
        IndexState.objects.get_or_create(id=1, defaults={"number": secrets.randbelow(2**30)})
        Pulse.objects.get_or_create(name="tick", defaults={"at": db.now()})
    except KeysDoNotFit as error:
        raise NotReady(f"{error}. Put back the keys file that was kept") from error
    except DatabaseError as error:
        raise NotReady("the database does not answer, or has no tables yet: run 'newsletter migrate'") from error
