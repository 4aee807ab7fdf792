"""Examine the installation: the list of all that `doctor` looks at."""

from newsletter.cli.service.doctor import installation, mail, work
from newsletter.cli.service.doctor.dns import dns as dns_findings
from newsletter.cli.service.doctor.finding import Finding


def examine(*, dns: bool = False) -> list[Finding]:
    """Examine everything, with `dns` also what the DNS says about the sender's domain.

    One thing that cannot be examined does not stop the others.
    """
    findings = [installation.keys_file(), installation.database()]
    if findings[-1].verdict != "fail":
        findings += [installation.keys_fit(), *work.work(), work.kept_too_long()]
        findings += [*work.selectors(), *work.topics()]
    return [
        *findings,
        *installation.packs(),
        installation.broker(),
        *mail.mail(),
        installation.proxy(),
        installation.python(),
        *(dns_findings() if dns else ()),
    ]
