"""A thousand requests of a thousand people to a local sink: how many mails a second leave our provider, beside the helpers?

    python -m bench.delivery_sendgrid [--requests 1000] [--rounds 3]

Our provider is given real parcels: once made anew for each request, as the worker makes them, and once made before, as those
are that its peers get. Beside it, in the same run on a part of the people, the `sendgrid` package used as its documentation
shows: its helpers with one recipient in each request, and with a thousand personalizations. Medians of some rounds; the sink
counts every recipient.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice

import sendgrid
from sendgrid.helpers.mail import CustomArg, From, Header, Mail, Personalization, ReplyTo, Substitution, To

from bench import sinks
from bench.letters import SENDER, Worker, letter, parcels
from newsletter.lib.mail.provider_interface import Accepted, Letter, Parcel, Parcels
from newsletter.providers.sendgrid.provider import MOST, SendGrid
from newsletter.providers.sendgrid.request_body import request_template

#: Bytes of the letter, both parts.
SIZE = 50_000
Way = Callable[[sinks.Sink], None]


@dataclass(frozen=True)
class Measured:
    """Mails a second by the clock, and the sender's own µs of CPU for each."""

    rate: float
    cost: float


def ours(batches: Sequence[Callable[[], Parcels]], requests: int) -> Way:
    """Our provider, a thousand people in each request."""

    def send(sink: sinks.Sink) -> None:
        provider = SendGrid("SG.bench", SENDER, url=sink.url)
        for batch in islice(cycle(batches), requests):
            outcomes = provider.hand_over(batch())
            if not all(isinstance(outcome, Accepted) for outcome in outcomes.values()):
                raise RuntimeError("not all were accepted")
        provider.close()

    return send


def helpers(mails: Sequence[Parcel], each: int) -> Way:
    """The package's helpers, so many people in each request."""

    def send(sink: sinks.Sink) -> None:
        client = sendgrid.SendGridAPIClient("SG.bench", host=sink.url)
        for start in range(0, len(mails), each):
            client.send(_mail(mails[start : start + each]))

    return send


def _mail(mails: Sequence[Parcel]) -> Mail:
    of = mails[0].letter
    made = Mail(subject=of.subject, plain_text_content=of.text, html_content=of.html)
    made.from_email, made.reply_to = From(SENDER.address, SENDER.name), ReplyTo(SENDER.contact)
    for one in mails:
        person = Personalization()
        person.add_to(To(one.address.value))
        person.add_header(Header("Message-ID", f"<{one.message_id}>"))
        person.add_header(Header("List-Unsubscribe", f"<{one.unsubscribe}>"))
        person.add_header(Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        person.add_custom_arg(CustomArg("d", one.opaque))
        for name, value in one.personal.items():
            person.add_substitution(Substitution(f"@@nl-{name}@@", value))
        made.add_personalization(person)
    return made


def measured(way: Way, mails: int, rounds: int) -> Measured:
    """Medians of some rounds of so many mails, each into a sink of its own."""
    rates, costs = [], []
    for _ in range(rounds):
        with sinks.sendgrid() as sink:
            began, spent = time.monotonic(), time.process_time()
            way(sink)
            rates.append(mails / (time.monotonic() - began))
            costs.append((time.process_time() - spent) / mails * 1e6)
            if sink.taken().recipients != mails:
                raise RuntimeError(f"the sink has {sink.taken()}, not {mails} people")
    return Measured(statistics.median(rates), statistics.median(costs))


def steps(worker: Worker, of: Letter) -> str:
    """What of it our own steps take, at best."""
    people, made = worker.recipients(1, MOST), request_template(of, SENDER)
    parcels, request = _best(lambda: worker.parcels(people)), _best(lambda: made.request(worker.parcels(people)))
    size = sum(map(len, made.request(worker.parcels(people))))
    return (
        f"µs of CPU for each of {MOST:,}: parcel {parcels:.2f}, JSON ({size / MOST:,.0f} bytes) {request - parcels:.2f}"
    )


def _best(step: Callable[[], object]) -> float:
    taken = []
    for _ in range(50):
        began = time.process_time()
        step()
        taken.append(time.process_time() - began)
    return min(taken) / MOST * 1e6


def main() -> None:
    """Run all, print the ratios."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--requests", type=int, default=1000)
    asked.add_argument("--rounds", type=int, default=3)
    options = asked.parse_args()
    of = letter(SIZE)
    worker, mails = Worker(of), parcels(20 * MOST, of)
    print(steps(worker, of))
    batches = [worker.recipients(1 + number * MOST, MOST) for number in range(min(options.requests, 50))]
    anew = [partial(worker.parcels, people) for people in batches]
    ready = [partial(Parcels.of, worker.parcels(people)) for people in batches]
    here = {
        f"newsletter, {MOST:,} in each, parcels anew": (ours(anew, options.requests), options.requests * MOST),
        f"newsletter, {MOST:,} in each": (ours(ready, options.requests), options.requests * MOST),
        f"helpers, {MOST:,} in each": (helpers(mails, MOST), len(mails)),
        "helpers, one in each": (helpers(mails[:MOST], 1), MOST),
    }
    found = {name: measured(way, count, options.rounds) for name, (way, count) in here.items()}
    anew_found, ready_found, *_ = found.values()
    for name, one in found.items():
        print(f"  {name:38} {one.rate:10,.0f} mails a second, {one.cost:8.2f} µs of CPU each")
    for name, one in list(found.items())[2:]:
        for which, best in (("parcels anew", anew_found), ("parcels as theirs", ready_found)):
            by_clock, by_cpu = best.rate / one.rate, one.cost / best.cost
            print(f"  ratio to {name}, {which}: {by_clock:,.1f} by the clock, {by_cpu:,.1f} by CPU seconds")
    print("targets: at least 5 times the helpers in batches, at least 400 times one by one")


if __name__ == "__main__":
    main()
