"""Well-formed RSS 2.0, RSS 1.0 and Atom 1.0 without surprises, read fast; anything else is left to feedparser.

The promise: what is read here is what `lenient` reads, field for field. So whatever feedparser treats in a way of its own (a
second title, xml:base, inline markup, text that looks like broken UTF-8 …) is given up, and so is every element not listed.
"""

import re
from collections.abc import Iterable
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError, XMLParser

from newsletter.feeds.fields import CATEGORY_CAP, ENTRY_CAP
from newsletter.feeds.raw import RawEntry, RawFeed

OLDER = ("prev-archive", "next")
_ATOM, _RSS1, _RDF = (
    "{http://www.w3.org/2005/Atom}",
    "{http://purl.org/rss/1.0/}",
    "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}",
)
_DC, _CONTENT, _SY = (
    "{http://purl.org/dc/elements/1.1/}",
    "{http://purl.org/rss/1.0/modules/content/}",
    "{http://purl.org/rss/1.0/modules/syndication/}",
)
_MEDIA, _SLASH = "{http://search.yahoo.com/mrss/}", "{http://purl.org/rss/1.0/modules/slash/}"
_LANG, _ABOUT = "{http://www.w3.org/XML/1998/namespace}lang", _RDF + "about"
#: The usual prefix of each namespace. feedparser looks names up by prefix as well: another one would confuse it.
_PREFIXES = {
    "http://www.w3.org/2005/Atom": "atom atom10 a10",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://purl.org/rss/1.0/modules/slash/": "slash",
    "http://wellformedweb.org/CommentAPI/": "wfw",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://www.georss.org/georss": "georss",
    "http://www.w3.org/2003/01/geo/wgs84_pos#": "geo",
    "http://purl.org/syndication/thread/1.0": "thr",
    "http://webns.net/mvcb/": "admin",
    "http://purl.org/dc/terms/": "dcterms",
}
_USED = frozenset(word for words in _PREFIXES.values() for word in words.split())
_DECLARED = re.compile(r"""xmlns:([^\s=]+)\s*=\s*["']([^"']*)""")
_NAMESPACE = re.compile(r"""xmlns[^=<>]*=\s*["']([^"']*)""")
#: What would make feedparser take an Atom feed for another version: declarations of other formats.
_OTHER_FORMATS = (
    "purl.org/rss/1.0/",
    "purl.org/atom",
    "purl.org/echo",
    "purl.org/pie",
    "my.netscape.com",
    "userland.com",
)
#: U+0080 to U+009F in UTF-8: in bytes they are found ten times as fast.
_C1 = re.compile(b"\xc2[\x80-\x9f]")
_REFERENCE = re.compile(r"&(?:amp;|[A-Za-z0-9_]+;)")
_SLASHES = re.compile(r"[A-Za-z][A-Za-z0-9+-.]*:///")
_PAGES = frozenset({"html", "xhtml", "text/html", "application/xhtml+xml"})


class _GiveUp(Exception):
    """Not for this reader."""


def read(text: str) -> RawFeed | None:
    """`text` (no DOCTYPE with entities in it) as a feed, or None: let feedparser read it."""
    try:
        _check(text)
        parser = XMLParser()  # noqa: S314 - in a child with limits, and no DOCTYPE comes this far
        parser.feed(text)
        root = parser.close()
        if root.tag == "rss":
            return _rss(root)
        if root.tag == _ATOM + "feed":
            return None if _is_mixed(text) else _atom(root)
        return _rdf(root) if root.tag == _RDF + "RDF" else None
    except (_GiveUp, ParseError, ValueError):
        return None


def _check(text: str) -> None:
    """Give up on a DOCTYPE, and on prefixes that do not mean what they usually mean."""
    if "<!DOCTYPE" in text or "<!doctype" in text:
        _give_up()
    for prefix, namespace in _DECLARED.findall(text):
        known = _PREFIXES.get(namespace)
        if prefix not in known.split() if known is not None else prefix in _USED:
            _give_up()


def _is_mixed(text: str) -> bool:
    """Are namespaces of other formats declared as well?"""
    return any(word in namespace.lower() for namespace in _NAMESPACE.findall(text) for word in _OTHER_FORMATS)


def _give_up() -> NoReturn:
    raise _GiveUp


def _plain(value: str | None) -> str:
    """The text of an element as feedparser gives it: stripped. It repairs UTF-8 read as ISO 8859-1, and C1 controls: not we."""
    text = (value or "").strip()
    if text.isascii():
        return text
    if _C1.search(text.encode()):
        _give_up()
    try:
        text.encode("latin-1").decode()
    except UnicodeError:
        return text
    _give_up()


def _leaf(one: Element, *attributes: str) -> str:
    """The text of an element without children and with no other attributes."""
    if len(one) or any(name not in attributes for name in one.attrib):
        _give_up()
    return _plain(one.text)


def _ignore(one: Element) -> None:
    """An element that says nothing; but feedparser lets an xml:base leak from anywhere."""
    if len(one) or any(name.endswith(("base", "lang")) for name in one.attrib):
        _give_up()


class _Fields(dict[str, str]):
    """Fields of a feed or an entry, each given once."""

    def once(self, name: str, value: str) -> None:
        if name in self:
            _give_up()
        self[name] = value

    def of(self, name: str) -> str:
        return self.get(name, "")


_ITEM = {
    "title": "title",
    "link": "link",
    "description": "summary",
    _CONTENT + "encoded": "content",
    "pubDate": "published",
    _DC + "date": "updated",
    "author": "author",
    _DC + "creator": "author",
    "category": "category",
    _DC + "subject": "category",
}
_ITEM_RDF = {(_RSS1 + name if name[0] != "{" else name): field for name, field in _ITEM.items() if name != "pubDate"}
#: Elements of an item that say nothing about it.
_ITEM_IGNORED = frozenset(
    {
        *(
            "comments",
            "enclosure",
            _SLASH + "comments",
            _SLASH + "section",
            _SLASH + "department",
            _SLASH + "hit_parade",
        ),
        *("{http://wellformedweb.org/CommentAPI/}commentRss", "{com-wordpress:feed-additions:1}post-id"),
        *("{http://wellformedweb.org/CommentAPI/}comment", _MEDIA + "thumbnail", _MEDIA + "content"),
    }
)
_CHANNEL = {
    "title": "title",
    "link": "link",
    "language": "language",
    "ttl": "ttl",
    "generator": "generator",
    _SY + "updatePeriod": "period",
    _SY + "updateFrequency": "frequency",
}
_CHANNEL_RDF = {(_RSS1 + name if name[0] != "{" else name): field for name, field in _CHANNEL.items()} | {
    _DC + "language": "language"
}
_CHANNEL_IGNORED = frozenset(
    {
        *(
            "description",
            "copyright",
            "managingEditor",
            "webMaster",
            "pubDate",
            "lastBuildDate",
            "docs",
            "cloud",
            "category",
        ),
        *("rating", _SY + "updateBase", "{com-wordpress:feed-additions:1}site"),
        *(_RSS1 + "description", _DC + "date", _DC + "rights", _DC + "creator", _DC + "publisher", _DC + "subject"),
    }
)
_IMAGE = frozenset({"url", "title", "link", "width", "height", "description"})


def _rss(root: Element) -> RawFeed:
    if any(name not in ("version", _LANG) for name in root.attrib) or len(root) != 1 or root[0].tag != "channel":
        _give_up()
    channel = root[0]
    if channel.attrib:
        _give_up()
    head, links = _Fields(), list[tuple[str, str]]()
    entries = []
    lang = root.get(_LANG, "").replace("_", "-")
    if lang:
        head["language"] = lang
    for one in channel:
        if one.tag == "item":
            entries.append(_item(one, lang, _ITEM))
        elif one.tag == "language":
            head["language"] = _leaf(one)
        elif one.tag == _ATOM + "link":
            links.append(_channel_link(one))
        elif one.tag == "image":
            _image(one)
        else:
            _of_channel(one, head, _CHANNEL)
    return _feed(head, links, entries)


def _rdf(root: Element) -> RawFeed:
    head, links = _Fields(), list[tuple[str, str]]()
    entries = list[RawEntry]()
    if root.attrib or not len(root) or root[0].tag != _RSS1 + "channel":
        _give_up()
    for one in root:
        if one.tag == _RSS1 + "item":
            entries.append(_item(one, "", _ITEM_RDF))
        elif one.tag != _RSS1 + "channel" or entries or head:
            _give_up()
        else:
            _rdf_channel(one, head, links)
    return _feed(head, links, entries)


def _rdf_channel(channel: Element, head: _Fields, links: list[tuple[str, str]]) -> None:
    if any(name != _ABOUT for name in channel.attrib):
        _give_up()
    for one in channel:
        if one.tag == _ATOM + "link":
            links.append(_channel_link(one))
        elif one.tag != _RSS1 + "items":
            _of_channel(one, head, _CHANNEL_RDF)
        elif len(one) != 1 or one[0].tag != _RDF + "Seq" or any(li.tag != _RDF + "li" or len(li) for li in one[0]):
            _give_up()


def _of_channel(one: Element, head: _Fields, known: dict[str, str]) -> None:
    if one.tag in known:
        head.once(known[one.tag], _leaf(one))
    elif one.tag in _CHANNEL_IGNORED:
        _ignore(one)
    else:
        _give_up()


def _channel_link(one: Element) -> tuple[str, str]:
    """(relation, URL) of an Atom link in a channel."""
    relation, href = _link(one)
    if relation == "alternate":
        _give_up()
    return relation, href


def _link(one: Element) -> tuple[str, str]:
    if len(one) or any(name not in ("rel", "type", "href", "title", "hreflang", "length") for name in one.attrib):
        _give_up()
    href = one.get("href")
    if not href or _SLASHES.match(href):
        _give_up()
    kind = one.get("type", "text/html").lower()
    relation = one.get("rel", "alternate").lower()
    if relation == "alternate" and kind not in _PAGES:
        relation = "other"
    return relation, href


def _image(one: Element) -> None:
    if one.attrib or any(part.tag not in _IMAGE or len(part) or part.attrib for part in one):
        _give_up()


def _item(item: Element, lang: str, known: dict[str, str]) -> RawEntry:
    fields, categories = _Fields(), list[str]()
    permalink = False
    for name, value in item.attrib.items():
        if name != _ABOUT or known is _ITEM:
            _give_up()
        fields["guid"] = value
    for one in item:
        field = known.get(one.tag)
        if field == "category":
            categories.append(_leaf(one, "domain"))
        elif field == "author":
            fields[field] = _leaf(one)
        elif field is not None:
            fields.once(field, _leaf(one))
        elif one.tag == "guid" and known is _ITEM:
            fields.once("guid", _url(_leaf(one, "isPermaLink")))
            permalink = one.get("isPermaLink", "true") == "true"
        elif one.tag in _ITEM_IGNORED:
            _ignore(one)
        else:
            _give_up()
    link = _url(fields["link"]) if "link" in fields else fields.of("guid") if permalink else ""
    body = fields.of("content") or fields.of("summary")
    return _entry(fields, link, body, "text/html", lang, categories)


def _url(text: str) -> str:
    """A URL that feedparser leaves as it is."""
    if _SLASHES.match(text) or _REFERENCE.search(text):
        _give_up()
    return text


_ATOM_ENTRY = {
    _ATOM + "id": "guid",
    _ATOM + "title": "title",
    _ATOM + "published": "published",
    _ATOM + "updated": "updated",
}
_ATOM_HEAD = {_ATOM + "title": "title", _ATOM + "id": "id", _ATOM + "generator": "generator"}
_ATOM_IGNORED = frozenset(_ATOM + name for name in ("updated", "subtitle", "rights", "icon", "logo", "category"))
_TYPES = {"text": "text/plain", "html": "text/html", "text/plain": "text/plain", "text/html": "text/html"}


def _atom(root: Element) -> RawFeed:
    head, links = _Fields(), list[tuple[str, str]]()
    entries = []
    lang = root.get(_LANG, "").replace("_", "-")
    if any(name != _LANG for name in root.attrib):
        _give_up()
    if lang:
        head["language"] = lang
    for one in root:
        if one.tag == _ATOM + "entry":
            entries.append(_atom_entry(one, lang))
        elif one.tag == _ATOM + "link":
            links.append(_link(one))
        elif one.tag == _ATOM + "author":
            _person(one)
        elif one.tag in _ATOM_HEAD:
            head.once(_ATOM_HEAD[one.tag], _leaf(one, "type", "uri", "version"))
            _kind(one, "text")
        elif one.tag in _ATOM_IGNORED:
            _ignore(one)
        else:
            _give_up()
    alternates = [href for relation, href in links if relation == "alternate"]
    head["link"] = alternates[-1] if alternates else _url(head.of("id"))
    return _feed(head, links, entries)


def _atom_entry(entry: Element, lang: str) -> RawEntry:
    fields, categories, alternate, author = _Fields(), list[str](), "", ""
    kinds = {"content": "text/html", "summary": "text/html"}
    if entry.attrib:
        _give_up()
    for one in entry:
        name = one.tag.removeprefix(_ATOM)
        if one.tag in _ATOM_ENTRY:
            fields.once(_ATOM_ENTRY[one.tag], _leaf(one, "type"))
            _kind(one, "text")
        elif name in ("content", "summary") and name != one.tag:
            fields.once(name, _leaf(one, "type"))
            kinds[name] = _kind(one, "text")
        elif name == "link" and name != one.tag:
            relation, href = _link(one)
            alternate = href if relation == "alternate" else alternate
        elif name == "author" and name != one.tag:
            author = _person(one)
        elif name == "category" and name != one.tag:
            categories.append(_term(one))
        else:
            _give_up()
    body = "content" if fields.of("content") else "summary"
    guid = _url(fields.of("guid"))
    return _entry(fields | {"author": author}, alternate or guid, fields.of(body), kinds[body], lang, categories)


def _kind(one: Element, usual: str) -> str:
    """The media type of a text construct (RFC 4287 section 3.1)."""
    return _TYPES.get(one.get("type", usual).lower()) or _give_up()


def _person(one: Element) -> str:
    """A person's name and address, as feedparser puts them together."""
    parts = _Fields()
    if one.attrib or _plain(one.text):
        _give_up()
    for part in one:
        if part.tag not in (_ATOM + "name", _ATOM + "email", _ATOM + "uri") or (part.tail or "").strip():
            _give_up()
        parts.once(part.tag, _leaf(part))
    name, email = parts.of(_ATOM + "name"), parts.of(_ATOM + "email")
    return f"{name} ({email})" if name and email else name or email


def _term(one: Element) -> str:
    if len(one) or (one.text or "").strip() or any(name not in ("term", "scheme", "label") for name in one.attrib):
        _give_up()
    return one.get("term", "")


def _entry(fields: dict[str, str], link: str, body: str, kind: str, lang: str, categories: list[str]) -> RawEntry:
    if len(categories) > CATEGORY_CAP:
        _give_up()
    return RawEntry(
        guid=fields.get("guid", ""),
        link=link,
        title=fields.get("title", ""),
        body=body,
        body_type=kind,
        body_base="",
        # an entry without a text has no language of its own
        language=lang if body or "summary" in fields else "",
        author=fields.get("author", ""),
        categories=tuple(categories),
        dates=(fields.get("published", ""), fields.get("updated", ""), ""),
    )


def _feed(head: _Fields, links: Iterable[tuple[str, str]], entries: list[RawEntry]) -> RawFeed:
    if "link" in head:
        _url(head["link"])
    return RawFeed(
        title=head.of("title"),
        link=head.of("link"),
        language=head.of("language"),
        ttl=head.of("ttl"),
        period=head.of("period"),
        frequency=head.of("frequency"),
        older=next((href for rel in OLDER for relation, href in links if relation == rel), ""),
        generator=head.of("generator"),
        entries=tuple(entries[:ENTRY_CAP]),
    )
