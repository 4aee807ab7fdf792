"""Whose mail is checked: the domain of its From, and who carries it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Carrier:
    """A provider: its name here, its kind (`smtp` or `sendgrid`), and for SMTP the server that mail is handed to."""

    name: str
    kind: str
    host: str = ""


@dataclass(frozen=True)
class CheckedSender:
    """`domain` in ASCII; `selectors` of DKIM keys, none where nobody named one."""

    domain: str
    carriers: tuple[Carrier, ...]
    selectors: tuple[str, ...] = ()

    def carried_by(self, kind: str) -> bool:
        """Whether a provider of this kind carries mail."""
        return any(carrier.kind == kind for carrier in self.carriers)
