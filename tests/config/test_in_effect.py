"""Settings in effect: where each comes from, and no secret."""

from newsletter.config.in_effect import settings_in_effect
from newsletter.config.settings_table import DEFAULTS


def shown(**environ: str) -> dict[str, tuple[str, str]]:
    values = DEFAULTS | {name: value for name, value in environ.items() if not name.endswith("_FILE")}
    values |= {name.removesuffix("_FILE"): "from a file" for name in environ if name.endswith("_FILE")}
    rows = settings_in_effect(values, {f"NEWSLETTER_{name}": value for name, value in environ.items()})
    return {row.name.removeprefix("NEWSLETTER_"): (row.value, row.origin) for row in rows}


def test_origins() -> None:
    rows = shown(PACE="20", SENDGRID_API_KEY_FILE="/run/key")
    assert rows["PACE"] == ("20", "environment")
    assert rows["GATHER"] == ("120", "default")
    assert rows["SENDGRID_API_KEY"] == ("set", "file")
    assert rows["SECRET_KEY"] == ("not set", "file")


def test_no_secret_and_no_address() -> None:
    rows = shown(MAIL_URL="smtp://canary:secret@host", RECIPIENT_ALLOW="a@example.org, b@example.org")
    assert rows["MAIL_URL"] == ("set", "environment")
    assert rows["RECIPIENT_ALLOW"] == ("2 set", "environment")
    assert "canary" not in str(rows) and "example.org" not in str(rows)


def test_meanings_are_for_people() -> None:
    rows = settings_in_effect(DEFAULTS, {})
    assert len(rows) == len(DEFAULTS) and all(row.meaning for row in rows)
    assert not [row.name for row in rows if "`" in row.meaning or "](" in row.meaning]
