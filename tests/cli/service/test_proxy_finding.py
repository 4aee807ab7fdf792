"""doctor says whether clients can be told apart, and whether others may look into the data."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from newsletter import wiring
from newsletter.cli.service.doctor.examine import examine
from newsletter.cli.service.doctor.finding import Finding

pytestmark = pytest.mark.django_db


def found(what: str) -> Finding:
    (one,) = [one for one in examine() if one.what == what]
    return one


def test_doctor_says_that_the_limit_of_networks_is_off(settings) -> None:
    settings.NEWSLETTER = replace(wiring.config(), base_url="https://news.example.org")
    one = found("proxy")
    assert one.verdict == "warn"
    assert one.message.startswith("the sign-up limit per network is off: set NEWSLETTER_TRUSTED_PROXY")


def test_doctor_names_the_proxy_that_is_believed(settings) -> None:
    assert found("proxy") == Finding("proxy", "ok", "none: visitors connect directly")
    trusted = (ip_network("127.0.0.1"), ip_network("fd00::/8"))
    settings.NEWSLETTER = replace(wiring.config(), base_url="https://news.example.org", trusted_proxy=trusted)
    assert found("proxy") == Finding(
        "proxy", "ok", "127.0.0.1/32, fd00::/8: what it reports of its visitors is trusted"
    )


def test_doctor_says_when_others_may_look_into_the_data(settings, tmp_path) -> None:
    settings.NEWSLETTER = replace(wiring.config(), data_dir=tmp_path)
    tmp_path.chmod(0o700)
    assert found("keys").verdict == "ok"
    tmp_path.chmod(0o755)
    assert found("keys") == Finding("keys", "warn", f"other users can look into {tmp_path}: run 'chmod 700 {tmp_path}'")
