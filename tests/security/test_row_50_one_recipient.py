"""Row 50: nobody's address is in a mail to somebody else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lib.mail import headers
from newsletter.lib.mail.provider_interface import Address, Parcel
from newsletter.providers.outbox import Outbox
from newsletter.providers.sendgrid.provider import SendGrid
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import SmtpCatcher
from tests.providers.pieces import SENDER, body, parcel
from tests.providers.sinks import smtp

_ADDRESS = re.compile(r"reader\d+@example\.org")


def people(count: int) -> list[Parcel]:
    return [parcel(number) for number in range(1, count + 1)]


@pytest.mark.parametrize("pipelining", [True, False])
def test_over_smtp_each_transaction_has_one_recipient_who_is_named_alone(pipelining: bool) -> None:
    with SmtpCatcher(pipelining=pipelining, starttls=True) as catcher:
        smtp(catcher).hand_over(people(30))
        assert sorted(mail.recipient for mail in catcher.messages) == sorted(one.address.value for one in people(30))
        for mail in catcher.messages:
            assert set(_ADDRESS.findall(mail.raw.decode())) == {mail.recipient}
            assert not {"Cc", "Bcc"} & set(mail.message.keys()) and len(mail.message.get_all("To", [])) == 1


def test_over_sendgrid_each_person_has_a_personalization_of_their_own() -> None:
    with FakeSendGrid() as fake:
        SendGrid(fake.key, SENDER, url=fake.url).hand_over(people(30))
        (request,) = fake.requests
    given_to = request.body["personalizations"]
    assert [one["to"] for one in given_to] == [[{"email": f"reader{number}@example.org"}] for number in range(1, 31)]
    for number, one in enumerate(given_to, 1):
        assert set(_ADDRESS.findall(str(one))) == {f"reader{number}@example.org"}
        assert not {"cc", "bcc"} & set(one)


def test_a_file_of_the_outbox_names_one(tmp_path) -> None:
    Outbox(tmp_path, SENDER).hand_over(people(5))
    assert sorted(len(set(_ADDRESS.findall(path.read_text()))) for path in tmp_path.rglob("*.eml")) == [1] * 5


@given(
    st.lists(st.sampled_from(["a@example.org", "b@example.org"]), min_size=2, max_size=4),
    st.sampled_from(",; \r\n\t<>:"),
)
def test_no_text_with_two_addresses_is_one(several: list[str], between: str) -> None:
    """Of all providers: the one look that an envelope and a `to` go through."""
    two = Address(between.join(several))
    with pytest.raises(headers.NotMailable):
        headers.recipient(two)
    with pytest.raises(headers.NotMailable):
        body([parcel(1, address=two.value)])
