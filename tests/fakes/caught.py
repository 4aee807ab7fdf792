"""A mail as an SMTP server caught it."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(frozen=True)
class Mail:
    """What one transaction brought. `raw` is without the doubled dots."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    encrypted: bool
    user: str | None

    @property
    def recipient(self) -> str:
        """The one recipient."""
        (only,) = self.recipients
        return only

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def message_id(self) -> str:
        return str(message_from_bytes(self.raw)["Message-ID"]).strip("<>")

    @property
    def text(self) -> str:
        """The text part, lines ending in LF."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part, lines ending in LF; empty if there is none."""
        return self._part("html")

    def _part(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
