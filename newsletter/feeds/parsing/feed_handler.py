"""feedparser's two parsers, extended to record which element each text and link of an entry comes from."""

import xml.sax
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

from feedparser.api import LooseFeedParser, StrictFeedParser
from feedparser.exceptions import UndeclaredNamespace

from newsletter.feeds.html.web_url import absolute_url

#: Elements that feedparser takes for an entry's own title or text, and the media type that they have by default.
CAPTIONS = {
    "media_title": "text/plain",
    "media_description": "text/plain",
    "itunes_summary": "text/plain",
    "itunes_subtitle": "text/plain",
    "dc_title": "text/plain",
    "dc_description": "text/html",
}


#: Characters of an author in which an address is looked for.
LONGEST_NAME = 500


@dataclass(frozen=True, slots=True)
class TextElement:
    """The text of an element; `typed`: it declares its media type. `depth` is its distance from the root."""

    element: str
    value: str
    media_type: str
    typed: bool
    base: str
    language: str
    depth: int


@dataclass(slots=True)
class SourceElements:
    """The elements of a feed or an entry, in its order: texts, alternate links, and the guid if that is a link."""

    texts: list[TextElement] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    guid_link: str = ""


class _ElementRecorder:
    """Goes before feedparser's own handlers. Its attributes are theirs: `feedparser.mixin` has them all."""

    entries: list[Any]
    feeddata: Any

    def __init__(self, *args: Any) -> None:
        self.head, self.parts, self.is_atom = SourceElements(), list[SourceElements](), False
        super().__init__(*args)
        self.resolve_relative_uris = self.sanitize_html = False

    def _own(self: Any) -> SourceElements | None:
        """What the present element belongs to: the entry or the feed. Returns None in an image, text input or source."""
        if self.insource or self.inimage or self.intextinput:
            return None
        own: SourceElements = self.parts[-1] if self.inentry else self.head
        return own

    def _start_feed(self: Any, attrs_d: Any) -> None:
        self.is_atom = self.is_atom or self.depth == 1
        super()._start_feed(attrs_d)  # type: ignore[misc]

    def _start_item(self: Any, attrs_d: Any) -> None:
        self.parts.append(SourceElements())
        super()._start_item(attrs_d)  # type: ignore[misc]

    _start_entry = _start_item

    def push_content(self: Any, tag: str, attrs_d: Any, default: str, expecting_text: Any) -> None:
        super().push_content(tag, attrs_d, default, expecting_text)  # type: ignore[misc]
        self.contentparams["typed"] = "type" in attrs_d

    def pop_content(self: Any, tag: str) -> Any:
        declared = dict(self.contentparams)
        value = super().pop_content(tag)  # type: ignore[misc]
        own = self._own()
        if own is not None and isinstance(value, str):
            kind, base, language = (declared.get(name) or "" for name in ("type", "base", "language"))
            own.texts.append(TextElement(tag, value, kind, bool(declared.get("typed")), base, language, self.depth))
        return value

    @staticmethod
    def looks_like_html(_text: str) -> bool:
        """Not decided here."""
        return False

    def _start_description(self: Any, attrs_d: Any) -> None:
        self.push_content("description", attrs_d, "text/html", 1)

    def _end_description(self: Any) -> None:
        self.pop_content("description")

    def _start_summary(self: Any, attrs_d: Any) -> None:
        self.push_content("summary", attrs_d, "text/plain", 1)

    def _end_summary(self: Any) -> None:
        self.pop_content("summary")

    _end_abstract = _end_description

    def _end_content(self: Any) -> None:
        self.pop_content("content")

    _end_body = _end_xhtml_body = _end_content_encoded = _end_fullitem = _end_content

    def _start_link(self: Any, attrs_d: Any) -> None:
        href = attrs_d.get("url", attrs_d.get("uri", attrs_d.get("href")))
        super()._start_link(attrs_d)  # type: ignore[misc]
        own = self._own()
        is_page = self.map_content_type(attrs_d["type"]) in self.html_types
        relations = (
            relation.rpartition("/")[2] for relation in attrs_d["rel"].split()
        )  # a name, or a URL that ends in it
        if own is not None and href and "alternate" in relations and is_page:
            own.links.append(_joined(self.baseuri, href))

    def _end_link(self: Any) -> None:
        own = self._own()
        if own is not None and self.elementstack and self.elementstack[-1][0] == "link":
            pieces = (piece.decode() if isinstance(piece, bytes) else piece for piece in self.elementstack[-1][2])
            text = self.decode_entities("link", "".join(pieces)).strip().replace("&amp;", "&")
            if text:
                own.links.append(_joined(self.baseuri, text))
        self.pop("link")

    def _end_guid(self: Any) -> None:
        super()._end_guid()  # type: ignore[misc]
        own = self._own()
        if own is not None and self.guidislink:
            own.guid_link = (self.entries[-1] if self.inentry else self.feeddata).get("id") or ""

    _end_id = _end_guid

    def _sync_author_detail(self: Any, key: str = "author") -> None:
        # its search for an address in a name takes time that grows with the square of its length
        if len(self._get_context().get(key) or "") <= LONGEST_NAME:
            super()._sync_author_detail(key)  # type: ignore[misc]

    def _end_published(self: Any) -> None:
        self.pop("published")  # dates are read elsewhere

    _end_issued = _end_pubdate = _end_published

    def _end_updated(self: Any) -> None:
        self.pop("updated")

    _end_modified = _end_lastbuilddate = _end_updated

    def _end_created(self: Any) -> None:
        self.pop("created")


def _caption(element: str, media_type: str) -> dict[str, Any]:
    def start(self: Any, attrs_d: Any) -> None:
        self.push_content(element, attrs_d, media_type, 1)

    def end(self: Any) -> None:
        self.pop_content(element)

    return {f"_start_{element}": start, f"_end_{element}": end}


_HANDLERS = {name: method for element, kind in CAPTIONS.items() for name, method in _caption(element, kind).items()}
_Strict: Any = type("_Strict", (_ElementRecorder, StrictFeedParser), _HANDLERS)
_Loose: Any = type("_Loose", (_ElementRecorder, LooseFeedParser), _HANDLERS)


def run_feedparser(text: str) -> Any:
    """feedparser's parser after it read `text`: the strict one, or where that is not well-formed the one that takes anything."""
    handler = _Strict("", None, "utf-8")
    reader = xml.sax.make_parser()  # noqa: S317 - in a child with limits, and no DOCTYPE comes this far
    reader.setFeature(xml.sax.handler.feature_namespaces, True)
    reader.setFeature(xml.sax.handler.feature_external_ges, False)
    reader.setContentHandler(handler)
    reader.setErrorHandler(handler)
    source = xml.sax.xmlreader.InputSource()
    source.setEncoding("utf-8")
    source.setByteStream(BytesIO(text.encode()))
    try:
        reader.parse(source)
    except (xml.sax.SAXException, UndeclaredNamespace):
        handler = _Loose("", None, "utf-8", {})
        handler.feed(text)
    return handler


def _joined(base: str, href: str) -> str:
    """`href` relative to an xml:base, which may be relative itself."""
    if not base:
        return href
    try:
        return absolute_url(href, base) if base.startswith(("http:", "https:")) else urljoin(base, href)
    except ValueError:
        return ""
