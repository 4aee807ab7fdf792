"""What a scenario is given, an installation and a provider that is never killed; and what it gives back."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from newsletter.lib.crypto import Vault
from tests import services
from tests.fakes.postman import Postman
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import SmtpCatcher
from tests.faults import servers
from tests.faults.checker import Verdict, judge, keys, taken
from tests.faults.ledger import Ledger
from tests.reports_key import PUBLIC


@dataclass
class World:
    """Servers, a database of its own, keys, and the provider's log."""

    template: servers.Template
    redis: services.Redis
    directory: Path
    seed: int
    fake: FakeSendGrid | SmtpCatcher
    purpose: str
    environment: dict[str, str]
    ledger: Ledger
    people: int

    @property
    def log(self) -> Path:
        return self.directory / "provider.log"

    @property
    def url(self) -> str:
        """The address of the pages."""
        return f"http://{self.environment['NEWSLETTER_BIND']}/"

    @property
    def vault(self) -> Vault:
        """The keys of this installation."""
        return keys(Path(self.environment["NEWSLETTER_DATA_DIR"]))

    @property
    def sendgrid(self) -> FakeSendGrid:
        assert isinstance(self.fake, FakeSendGrid)
        return self.fake

    def postman(self, **how: Any) -> Postman:
        """Who tells the pages what became of the mails."""
        return Postman(self.sendgrid, f"{self.url}hooks/sendgrid", self.seed, **how)

    def taken(self) -> int:
        """Lines of the provider's log."""
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def begun(self) -> bool:
        """Whether the provider took anything yet."""
        return self.log.exists()

    def verdict(self) -> Verdict:
        return judge(self.people, taken(self.log, self.vault, self.purpose), self.ledger)

    def done(self) -> bool:
        """Whether everybody's mail was planned, and nothing waits or is under way."""
        # in this order: what is planned between the two looks is not over
        return sum(self.ledger.counted().values()) >= self.people and self.ledger.done()

    def left(self, recovered: float | None) -> str:
        """What is still open, when it was not done in time, and the last that the processes said."""
        if recovered is not None:
            return ""
        log = self.directory / "processes.log"
        said = (log.read_text(errors="replace").splitlines() if log.exists() else [])[-1:]
        return "; ".join([self.ledger.left(), *said])

    def command(self, *words: str) -> str:
        """A `newsletter` command in this installation."""
        return servers.python("-m", "newsletter", *words, environment=self.environment)


@dataclass(frozen=True)
class Result:
    """A line of the table."""

    verdict: Verdict
    kills: int = 0
    #: Seconds from the last hurt to the last mail, whatever was left to do then; None: it was not done in time.
    recovered: float | None = None
    #: Seconds that each hurt took to be over.
    recoveries: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    #: What this scenario promises besides: words, and whether it was so.
    promises: dict[str, bool] = field(default_factory=dict)
    #: What was still open when it was not done in time.
    left: str = ""

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept, in words."""
        late = [] if self.recovered is not None else [f"not done in time: {self.left}"]
        return [*self.verdict.broken, *late, *(words for words, kept in self.promises.items() if not kept)]


def reconciled(world: World, postman: Postman, result: Result) -> Result:
    """The result once the provider told all its events: what it took is in doubt no more."""
    told = postman.tell_all(120)
    servers.until(lambda: world.verdict().unknown_taken == 0, 20)
    verdict, proved = world.verdict(), world.ledger.proved()
    facts = {
        "unknown before events": f"{verdict.unknown + proved} ({verdict.unknown_taken + proved} taken)",
        "events posted": postman.events,
    }
    promises = {"every event was told": told, "events settle what was taken": verdict.unknown_taken == 0}
    return replace(result, verdict=verdict, facts=result.facts | facts, promises=result.promises | promises)


@contextmanager
def world(
    template: servers.Template,
    redis: services.Redis,
    directory: Path,
    seed: int,
    *,
    smtp: bool = False,
    forking: bool = False,
) -> Iterator[World]:
    """A fresh copy of the template, and a provider that is never killed. `forking`: see `Crew`."""
    directory.mkdir(parents=True, exist_ok=True)
    url, data = template.copy(directory)
    log = directory / "provider.log"
    redis.command("FLUSHALL")
    with ExitStack() as stack:
        fake: FakeSendGrid | SmtpCatcher
        if smtp:
            fake = stack.enter_context(SmtpCatcher(log=log))
            mail = {"NEWSLETTER_MAIL_URL": fake.url}
        else:
            fake = stack.enter_context(FakeSendGrid(log=log))
            mail = {
                "NEWSLETTER_MAIL_URL": "sendgrid:",
                "NEWSLETTER_SENDGRID_API_KEY": fake.key,
                "NEWSLETTER_SENDGRID_URL": fake.url,
                "NEWSLETTER_SENDGRID_WEBHOOK_KEY": PUBLIC,
            }
        if forking:
            mail["FAULTS_FORK"] = "1"
        made = servers.environment(
            data,
            NEWSLETTER_DATABASE_URL=url,
            NEWSLETTER_BROKER_URL=redis.url,
            NEWSLETTER_BIND=f"127.0.0.1:{services.free_port()}",
            **mail,
        )
        purpose = "message" if smtp else "delivery"
        yield World(template, redis, directory, seed, fake, purpose, made, Ledger(url), template.people)
