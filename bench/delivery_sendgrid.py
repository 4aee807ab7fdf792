"""A thousand requests of a thousand people to a local sink: how many mails a second leave our carrier, beside the helpers?

    python -m bench.delivery_sendgrid [--requests 1000]

Our carrier is given real parcels, made anew for each request as the worker makes them. Beside it, in the same run on a part
of the people, the `sendgrid` package used as its documentation shows: its helpers with one recipient in each request, and
with a thousand personalizations. The sink counts every recipient.
"""

import argparse
import time
from collections.abc import Callable, Sequence

import sendgrid
from sendgrid.helpers.mail import CustomArg, From, Header, Mail, Personalization, ReplyTo, Substitution, To

from bench import sinks
from bench.letters import SENDER, letter, parcels
from newsletter.handover import Accepted, Parcel
from newsletter.providers.sendgrid import MOST, SendGrid
from newsletter.providers.sendgrid_body import form

#: Bytes of the letter, both parts.
SIZE = 50_000
Way = Callable[[sinks.Sink, Sequence[Parcel]], None]


def ours(sink: sinks.Sink, mails: Sequence[Parcel]) -> None:
    """Our carrier, a batch of a thousand in each request."""
    carrier = SendGrid("SG.bench", SENDER, url=sink.url)
    for start in range(0, len(mails), MOST):
        outcomes = carrier.hand_over(mails[start : start + MOST])
        if not all(isinstance(outcome, Accepted) for outcome in outcomes.values()):
            raise RuntimeError("not all were accepted")
    carrier.close()


def helpers(each: int) -> Way:
    """The package's helpers, so many people in each request."""

    def send(sink: sinks.Sink, mails: Sequence[Parcel]) -> None:
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


def rate(way: Way, mails: Sequence[Parcel], times: int = 1) -> float:
    """Mails a second, the same people so many times, into a sink of its own."""
    with sinks.sendgrid() as sink:
        began = time.monotonic()
        for _ in range(times):
            way(sink, mails)
        took = time.monotonic() - began
        if sink.taken().recipients != len(mails) * times:
            raise RuntimeError(f"the sink has {sink.taken()}, not {len(mails) * times} people")
    return len(mails) * times / took


def main() -> None:
    """Run all, print the ratios."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--requests", type=int, default=1000)
    options = asked.parse_args()
    of, people = letter(SIZE), min(options.requests, 50) * MOST
    began = time.monotonic()
    mails = parcels(people, of)
    each = (time.monotonic() - began) / people * 1e6
    made, taken = form(of, SENDER), []
    for start in range(0, people, MOST):
        began = time.monotonic()
        size = len(made.request(mails[start : start + MOST]))
        taken.append(time.monotonic() - began)
    print(
        f"a parcel takes {each:.1f} µs, the JSON of {MOST:,} people ({size:,} bytes) {min(taken) * 1000:.2f} ms at best"
    )
    here = {
        f"newsletter, {MOST:,} in each request": rate(ours, mails, max(1, options.requests * MOST // people)),
        f"helpers, {MOST:,} in each request": rate(helpers(MOST), mails[: 20 * MOST]),
        "helpers, one in each request": rate(helpers(1), mails[:MOST]),
    }
    best = next(iter(here.values()))
    for name, figure in here.items():
        print(f"  {name:34} {figure:10,.0f} mails a second, ratio {best / figure:,.1f}")
    print("targets: at least 5 times the helpers in batches, at least 400 times one by one")


if __name__ == "__main__":
    main()
