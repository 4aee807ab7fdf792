"""Delete rows of the audit log after two years; the trigger of the table refuses to delete younger ones."""

from datetime import timedelta

from newsletter.lib.pruning import InPieces, Rule, Table
from newsletter.models import AuditEntry

#: Two years, whichever of them is a leap year.
KEPT = timedelta(days=731)

RULES = (
    Rule(
        "the audit log: who changed what, before and after",
        "unencrypted: it holds no address and no keyword",
        "two years",
        "to find out later who decided what",
        (Table(AuditEntry, lambda now: AuditEntry.objects.filter(at__lt=now - KEPT)),),
        lambda now, should_continue: {"audit_entry": InPieces(should_continue).oldest("audit_entry", "at", now - KEPT)},
    ),
)
