"""Which addresses are one mailbox, and how long its limit is kept."""

import pytest

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import MailboxLimit, SignUpRequest
from newsletter.subscribers.limits import mailbox_limit
from newsletter.subscribers.limits.mailbox_limit import mailbox_of
from tests.subscribers.helpers import ANNA, DAY, NOW, VAULT


@pytest.mark.parametrize(
    ("first", "other", "same"),
    [
        ("anna@example.org", "Anna+news@Example.org", True),
        ("a.n.n.a@gmail.com", "anna+x@googlemail.com", True),
        ("a.nna@example.org", "anna@example.org", False),
        ("+anna@example.org", "+bob@example.org", False),
        ("...@gmail.com", "anna@gmail.com", False),
        ("anna@example.org", "anna@example.com", False),
    ],
)
def test_plus_tags_and_gmail_dots_are_one_mailbox(first, other, same):
    assert (mailbox_of(Address(first)) == mailbox_of(Address(other))) == same


@pytest.mark.django_db
def test_limit_is_deleted_after_30_days():
    mailbox = mailbox_limit.index_of_mailbox(ANNA, VAULT)
    assert mailbox_limit.count_mail(mailbox, SignUpRequest.Kind.SIGN_UP, now=NOW) is None
    assert mailbox_limit.prune(NOW + 30 * DAY) == 0
    assert mailbox_limit.prune(NOW + 31 * DAY) == 1 and not MailboxLimit.objects.exists()
