"""`python -m tests.faults.seed PEOPLE SIZE`: tables, keys and that many people with one planned mail each, SIZE in a batch."""

import sys

from django.core.management import call_command
from django.db import transaction

from newsletter import tasks, wiring
from newsletter.delivery import gate, plan
from newsletter.models import Delivery, Lane, Subscriber
from tests import rows


def main(people: int, size: int) -> None:
    """Write the rows, as the planner would."""
    assert tasks.app.conf.task_acks_late  # importing the tasks has set Django up
    call_command("migrate", verbosity=0)
    rows.VAULT = vault = wiring.vault()
    gate.ensure(vault)
    plan.SIZES = dict.fromkeys(Lane, size)
    with transaction.atomic():
        who = [rows.subscriber(f"reader{number}@example.org", vault=vault) for number in range(people)]
        rows.planned(who, carrier=plan.Carrier(3, one_letter=True))
    assert Delivery.objects.count() == Subscriber.objects.count() == people


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
