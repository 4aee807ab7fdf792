"""Feeds of any size, made of chance words: about 3 kB of HTML in each entry."""

import random
from html import escape

_LETTERS = "aeioubcdfglmnprstvz"
_ODD = ("naïve", "Zürich", "“quoted”", "it’s", "–", "维吾尔", "Уйгур")


class Writer:
    """Writes entries; the same `seed` writes the same ones."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._words = ["".join(self._rng.choices(_LETTERS, k=self._rng.randint(2, 10))) for _ in range(3000)]
        self._words += _ODD * 20

    def words(self, count: int) -> str:
        """So many words."""
        return " ".join(self._rng.choices(self._words, k=count))

    def body(self, number: int) -> str:
        """The HTML of an entry."""
        link = f"https://original.example/{number}"
        parts = [
            f'<p>{self.words(25)} <a href="{link}/{n}?a=1&amp;b=2">{self.words(3)}</a> {self.words(20)} '
            f"<strong>{self.words(2)}</strong>.</p>\n"
            for n in range(5)
        ]
        image = f'<p><img src="https://pictures.example/{number}.jpg" alt="x" width="600"/></p>'
        source = f'<p>Source: Example Wire, November 20, 2026<br><a href="{link}">{link}</a></p>'
        return "".join([*parts, f"<ul><li>{self.words(8)}</li><li>{self.words(8)}</li></ul>", image, source])


def rss(numbers: range, seed: int = 1) -> bytes:
    """An RSS 2.0 feed with the entries `numbers`, each the same in every feed that has it."""
    items = "".join(
        f'<item><title>{w.words(9)}</title><link>https://digest.example/{n}</link><guid isPermaLink="false">post-{n}</guid>'
        f"<dc:creator>{w.words(2)}</dc:creator><category>{w.words(1)}</category>"
        f"<pubDate>{1 + n % 23} Nov 2026 08:00:00 +0000</pubDate>"
        f"<description><![CDATA[{w.words(30)}]]></description><content:encoded><![CDATA[{w.body(n)}]]></content:encoded></item>\n"
        for n, w in ((n, Writer(seed * 100_000 + n)) for n in numbers)
    )
    spaces = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    head = "<title>A digest</title><link>https://digest.example</link><description/>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {spaces}><channel>{head}{items}</channel></rss>'.encode()


def atom(numbers: range, seed: int = 2) -> bytes:
    """The like as Atom 1.0."""
    entries = "".join(
        f'<entry><title>{w.words(9)}</title><id>tag:digest.example,2026:{n}</id><link href="https://digest.example/{n}"/>'
        f"<author><name>{w.words(2)}</name></author><published>2026-11-{1 + n % 23:02}T08:00:00Z</published>"
        f"<updated>2026-11-23T08:00:00Z</updated><summary>{w.words(30)}</summary>"
        f'<content type="html">{escape(w.body(n))}</content></entry>\n'
        for n, w in ((n, Writer(seed * 100_000 + n)) for n in numbers)
    )
    head = "<title>A digest</title><id>tag:digest.example,2026:feed</id><updated>2026-11-23T08:00:00Z</updated>"
    link = '<link href="https://digest.example/"/>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">{head}{link}{entries}</feed>'.encode()
