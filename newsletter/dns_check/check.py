"""Check everything in the DNS that decides whether mail of our sender is trusted."""

from newsletter.dns_check.dkim import check_dkim
from newsletter.dns_check.dmarc import check_dmarc
from newsletter.dns_check.finding import DnsFinding, warn
from newsletter.dns_check.hosts import check_hosts
from newsletter.dns_check.lookup import Lookup
from newsletter.dns_check.sender import CheckedSender
from newsletter.dns_check.spf import check_spf


def check_dns(sender: CheckedSender, lookup: Lookup) -> list[DnsFinding]:
    """All findings about a sender, within the deadline of `lookup`. What could not be asked is a finding too."""
    if "." not in sender.domain:
        message = f"{sender.domain} is no domain of the internet, so nothing was looked up"
        return [warn("From", message, "set NEWSLETTER_FROM to an address of your domain")]
    if not sender.carriers:
        message = "mail is written to files and does not leave, so nothing was looked up"
        return [warn("From", message, "set NEWSLETTER_MAIL_URL to send mail")]
    checks = (check_spf, check_dkim, check_dmarc, check_hosts)
    return [finding for check in checks for finding in check(sender, lookup)]
