"""Somebody who has confirmed, and a link to her preferences."""

import pytest

from newsletter.models import Notice, Subscriber
from newsletter.subscribers import manage_link
from newsletter.subscribers.choices import Choices
from tests.subscribers.helpers import ANNA, ask, now_and_vault, press, token, topic


@pytest.fixture
def anna(db):
    """An active subscriber with two topics and a keyword."""
    press(token(ask(Choices((topic().id, topic("Huawei").id), ("Zzyzx",)))))
    return Subscriber.objects.get()


@pytest.fixture
def link(anna):
    """The token of a fresh link to her preferences."""
    return token(Notice.objects.get(id=manage_link.ask_by_address(ANNA, **now_and_vault()).notice_id))
