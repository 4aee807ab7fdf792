"""Row 38: who follows what stays secret: a canary address and keyword walk the whole road and are then looked for everywhere."""

import logging
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer

from newsletter import cli, wiring
from newsletter.delivery.gates import sending_gate
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit, Vault, new_keys, parse_keys
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Subscriber
from newsletter.worker import run_once, startup, tasks
from tests.fakes.smtp import SmtpCatcher
from tests.journey import road
from tests.security.stored import everything_stored

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "canary+7f3a@example.org"
KEYWORD = "Zzyzx"
ARTICLE = (("A town in the desert", "The road to Zzyzx is long.", "Source: Example Wire"),)


@pytest.fixture
def walked(settings, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture):
    """The road walked once by the canary, with every logger talkative."""
    site = urlsplit(httpserver.url_for("/"))
    caplog.set_level(logging.DEBUG)
    with (
        SmtpCatcher() as smtp,
        road.configured(settings, mail=smtp.url, feed_allow=frozenset({(site.hostname, site.port)})),
    ):
        road.set_up(road.serve(httpserver, road.posts(ARTICLE)))
        road.subscribe(ADDRESS, keywords=(KEYWORD,))
        run_once.once(wait=timedelta(0))
        assert [one.recipient for one in smtp.messages] == [ADDRESS]
        yield caplog


def test_no_table_holds_the_address_or_the_keyword_in_clear(walked) -> None:
    tables = everything_stored()
    assert len(tables) > 20
    public = {"item_version", "entry"}
    for name, content in tables.items():
        assert "canary" not in content.lower(), name
        assert name in public or KEYWORD.lower() not in content.lower(), name
    assert KEYWORD in tables["item_version"]


def test_no_log_line_names_the_address_or_the_keyword(walked) -> None:
    shown = "\n".join(record.getMessage() for record in walked.records)
    assert "canary" not in shown.lower()
    assert KEYWORD.lower() not in shown.lower()


def test_neither_figures_nor_commands_nor_output_name_them(walked, client, capfd, settings) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, metrics_token="token-for-tests")
    pages = [client.get("/metrics", headers={"Authorization": "Bearer token-for-tests"}), client.get("/healthz")]
    assert b"newsletter_subscribers" in pages[0].content
    for words in (
        ("status",),
        ("doctor",),
        ("deliveries", "list"),
        ("topics", "list"),
        ("feeds", "list"),
        ("nothing",),
    ):
        cli.invoke(list(words))
    told = "".join(capfd.readouterr()) + "".join(page.content.decode() for page in pages)
    assert len(told) > 1_000
    assert "canary" not in told.lower() and KEYWORD.lower() not in told.lower()


def test_messages_to_workers_are_names_and_numbers(walked, monkeypatch, client) -> None:
    """What a page publishes and what follows from it, read where Celery is given it."""
    sent: list[tuple[str, object, object]] = []
    monkeypatch.setattr(tasks.app, "send_task", lambda name, args=(), **more: sent.append((name, args, more)))
    client.post("/preferences", {"address": ADDRESS})
    for name in ("sign_ups", "notices", "match", "close", "send", "recover"):
        tasks.run(name)
    tasks.publish("compose", 7)
    assert {"newsletter.notices", "newsletter.send"} <= {name for name, _, _ in sent}
    for name, args, more in sent:
        assert all(isinstance(one, int) for one in args) and set(more) <= {"retry", "ignore_result"}, name


def test_an_address_shows_itself_in_no_line_and_no_traceback() -> None:
    address = Address(ADDRESS)
    shown = f"{address} {address!r} {[address]} %s" % (address,) + str(ValueError(address)) + repr({"to": address})
    assert "canary" not in shown


def test_other_keys_do_not_open_this_data(walked) -> None:
    secret, keys = new_keys()
    stranger = Vault(secret.encode(), *parse_keys(keys))
    with pytest.raises(KeysDoNotFit):
        sending_gate.check_keys(stranger)
    sending_gate.check_keys(wiring.vault())
    person = Subscriber.objects.get()
    with pytest.raises(KeysDoNotFit) as error:
        stranger.decrypt(person.key_id, person.address_cipher, handle=person.handle.bytes, column="address")
    assert "canary" not in str(error.value)


def test_a_start_with_other_keys_is_refused(walked, settings) -> None:
    secret, keys = new_keys()
    opened, index_key = parse_keys(keys)
    with road.configured(settings, address_keys=opened, index_key=index_key), pytest.raises(startup.NotReady) as error:
        startup.prepare()
    assert "keys file" in str(error.value)
    assert secret not in str(error.value)


def test_two_ciphertexts_exchanged_do_not_open(walked) -> None:
    road.subscribe("other@example.org", "Uyghur")
    one, two = Subscriber.objects.order_by("id")
    with pytest.raises(KeysDoNotFit):
        wiring.vault().decrypt(one.key_id, one.address_cipher, handle=two.handle.bytes, column="address")
    assert db.now()
