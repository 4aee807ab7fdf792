"""Row 13: what a feed says is text on our pages: it runs nothing and adds no element."""

import pytest

from newsletter.feeds.html import sanitize_html
from newsletter.feeds.html.blocks import to_html
from newsletter.lib import clock
from newsletter.models import Topic
from tests import factories
from tests.feeds.promises import is_clean
from tests.security.hostile_feed import MARKUP, Elements


def page(client, keyword: str) -> Elements:
    """The preview of a keyword, which shows titles of articles and the keyword itself."""
    return Elements(client.post("/", {"preview": "1", "keyword": keyword, "cadence": "2"}).content.decode())


@pytest.mark.django_db
def test_titles_of_articles_names_of_topics_and_typed_words_add_no_element(client) -> None:
    """Even if a title were stored as it came."""
    factories.item("Zzyzx", "", seen=clock.utcnow())
    factories.topic("Topic")
    plain = page(client, "Zzyzx")
    for markup in MARKUP[:: len(MARKUP) // 12]:
        factories.item(f"{markup} Zzyzx", "", seen=clock.utcnow())
        Topic.objects.update(name=markup[:80])
        hostile = page(client, "Zzyzx")
        assert hostile.names == plain.names and hostile.attributes == plain.attributes
        assert all(link.startswith(("/", "#", "mailto:")) for link in hostile.links)
        assert page(client, f'"{markup}"').attributes <= plain.attributes | {
            "aria-invalid",
            "class",
            "role",
            "autofocus",
        }


def test_what_is_kept_of_a_text_is_on_the_list() -> None:
    for markup in MARKUP:
        is_clean(to_html(sanitize_html.parse_blocks(sanitize_html.sanitize(markup), "https://ok.example/")))
