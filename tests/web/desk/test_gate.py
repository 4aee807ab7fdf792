"""Where the desk is switched off, or not for this client, it does not exist."""

import dataclasses
from ipaddress import ip_network

import pytest

pytestmark = pytest.mark.django_db
ADDRESSES = ("/desk/", "/desk/sign-in/", "/desk/nothing/", "/desk/settings/", "/api/v1/feeds")


def configure(settings, **values):
    settings.NEWSLETTER = dataclasses.replace(settings.NEWSLETTER, **values)


def test_off(client, as_owner, settings):
    configure(settings, desk=False)
    for address in ADDRESSES:
        answers = [client.get(address), as_owner.get(address), client.post(address)]
        assert {answer.status_code for answer in answers} == {404}, address
        assert not any(answer.cookies for answer in answers)
    assert client.get("/privacy").status_code == 200


def test_for_some_networks(client, settings):
    configure(settings, desk_allow=(ip_network("10.8.0.0/16"), ip_network("2001:db8::/32")))
    assert client.get("/desk/sign-in/").status_code == 404
    for client_address in ("10.8.3.4", "2001:db8::7"):
        assert client.get("/desk/sign-in/", REMOTE_ADDR=client_address).status_code == 200
    assert client.get("/desk/sign-in/", REMOTE_ADDR="10.9.0.1").status_code == 404
    pretended = client.get("/desk/sign-in/", REMOTE_ADDR="203.0.113.5", headers={"x-forwarded-for": "10.8.3.4"})
    assert pretended.status_code == 404


def test_who_the_proxy_vouches_for(client, settings):
    configure(settings, desk_allow=(ip_network("10.8.0.0/16"),), trusted_proxy=(ip_network("127.0.0.1"),))
    assert client.get("/desk/sign-in/", headers={"x-forwarded-for": "10.8.3.4"}).status_code == 200
    assert client.get("/desk/sign-in/", headers={"x-forwarded-for": "10.9.3.4"}).status_code == 404
    assert client.get("/desk/sign-in/").status_code == 404
