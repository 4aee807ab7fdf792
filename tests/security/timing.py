"""Does the time of an answer tell whether an address is subscribed? Measured over the real server: `make timing`.

Signs up SAMPLES (1,000) addresses of each class (new, active, erased) in random order, each from a network of its own, and
compares the times of the classes two by two (Kolmogorov and Smirnov). Also of a second request on the heels of each: what
a worker does for the first must not show in it. Fails when a p is below 0.01.
"""

import http.client
import itertools
import math
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from tests.factories import ACTOR

SAMPLES = int(os.environ.get("SAMPLES", "1000"))
SEED = int(os.environ.get("SEED", "7"))
CLASSES = ("new", "active", "erased")
PORT = 8765
_WORST = 0.01


def prepare() -> None:
    """The addresses of each class, in the database of this process's settings."""
    import django

    django.setup()
    from django.core.management import call_command

    from newsletter import wiring
    from newsletter.lib import db
    from newsletter.matching.topics import topics
    from newsletter.subscribers import lookup_and_erase
    from newsletter.subscribers.admin_subscribe import subscribe_directly
    from newsletter.subscribers.choices import Choices
    from newsletter.subscribers.email_address import parse_address
    from newsletter.worker import startup

    call_command("migrate", verbosity=0)
    startup.prepare()
    topics.add_topic("Uyghur", "Uyghur", now=db.now(), actor=ACTOR)
    for kind, number in itertools.product(CLASSES[1:], range(SAMPLES)):
        address = parse_address(_address(kind, number))
        subscribe_directly(
            address, Choices(topic_ids=(1,)), wiring.subscribing(db.now()), confirmed=True, source="timing", actor=ACTOR
        )
        if kind == "erased":
            lookup_and_erase.erase(address, now=db.now(), vault=wiring.vault(), forget=wiring.forget, actor=ACTOR)


def measure() -> dict[str, dict[str, list[float]]]:
    """Seconds of each answer, by which request it was and by the class of the address."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    form, cookie = _form(connection)
    order = [(kind, number) for kind in CLASSES for number in range(SAMPLES)]
    random.Random(SEED).shuffle(order)
    took: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in CLASSES} for name in ("answer", "next")}
    for turn, (kind, number) in enumerate(order):
        took["answer"][kind].append(_post(connection, form, cookie, _address(kind, number), 2 * turn))
        took["next"][kind].append(_post(connection, form, cookie, f"other{turn:07}@example.org", 2 * turn + 1))
        time.sleep(0.03)  # so that what follows from one sample is over before the next
    return took


def p_value(one: list[float], other: list[float]) -> float:
    """The chance of so large a difference between two samples of one distribution (two-sided, asymptotic)."""
    values = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    seen, largest = [0, 0], 0.0
    for place, (value, which) in enumerate(values):
        seen[which] += 1
        if place + 1 == len(values) or values[place + 1][0] != value:
            largest = max(largest, abs(seen[0] / len(one) - seen[1] / len(other)))
    size = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    x = (size + 0.12 + 0.11 / size) * largest
    series = 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return min(max(series, 0.0), 1.0) if x > 0.2 else 1.0


def _address(kind: str, number: int) -> str:
    return f"{kind:x<6}{number:06}@example.org"


def _form(connection: http.client.HTTPConnection) -> tuple[dict[str, str], str]:
    connection.request("GET", "/", headers={"Host": f"127.0.0.1:{PORT}"})
    answer = connection.getresponse()
    html = answer.read().decode()
    word = re.search(r'csrfmiddlewaretoken" value="(\w+)"', html)
    assert word
    fields = {"topics": "1", "keyword": "", "cadence": "2", "hour": "7", "weekday": "0", "zone": "UTC"}
    return fields | {"subject": "neutral", "csrfmiddlewaretoken": word[1]}, answer.getheader("Set-Cookie", "").split(
        ";"
    )[0]


def _post(
    connection: http.client.HTTPConnection, form: dict[str, str], cookie: str, address: str, network: int
) -> float:
    body = urlencode(form | {"address": address})
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": cookie,
        "Origin": f"http://127.0.0.1:{PORT}",
        "X-Forwarded-For": f"11.{network // 250}.{network % 250}.1",
    }
    began = time.perf_counter()
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    answer.read()
    took = time.perf_counter() - began
    assert answer.status == 303, answer.status
    return took


def main() -> int:
    """Run the service, measure, and print; 1 when a difference shows."""
    with tempfile.TemporaryDirectory() as directory:
        settings = {
            "NEWSLETTER_DATA_DIR": directory,
            "NEWSLETTER_BIND": f"127.0.0.1:{PORT}",
            "NEWSLETTER_TRUSTED_PROXY": "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        }
        os.environ.update(settings)
        prepare()
        log = (Path(directory) / "log").open("wb")
        with subprocess.Popen([sys.executable, "-m", "newsletter", "run"], stdout=log, stderr=log) as service:
            try:
                _wait_for_it()
                took = measure()
            finally:
                service.terminate()
    worst = 1.0
    for name, classes in took.items():
        for kind, times in classes.items():
            print(f"{name:7} {kind:7} median {statistics.median(times) * 1000:6.2f} ms, {len(times)} samples")
        for one, other in itertools.combinations(CLASSES, 2):
            p = p_value(classes[one], classes[other])
            worst = min(worst, p)
            print(f"{name:7} {one} and {other}: p = {p:.3f}")
    return int(worst < _WORST)


def _wait_for_it() -> None:
    for _ in range(200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=1)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the service does not start")


if __name__ == "__main__":
    sys.exit(main())
