"""The file that translators start from is up to date."""

import pytest

from scripts import extract_messages

pytestmark = pytest.mark.unit


def test_the_file_for_translators_is_up_to_date():
    assert extract_messages.TARGET.read_text() == extract_messages.messages(), "run make messages"


def test_texts_of_pages_mails_and_forms_are_found():
    text = extract_messages.messages()
    for message in ("Only the articles you want", "Choose your time zone.", "Why you get this:", "Confirm your change"):
        assert f'"{message}' in text, message
    assert 'msgid_plural "%(count)s articles"' in text
