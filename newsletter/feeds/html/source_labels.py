"""The words that source lines begin with, in the languages of digests: `Source:`, `来源：`, `Источник:`."""

import re

_SINGULAR = (
    r"(?:original\s+|news\s+)?source|quelle|fuente|fonte|bron|kaynak|źródło|kilde|källa|menbe|первоисточник|источник|джерело"
    r"|(?:消息|资料|資料|文章|新闻|新聞|信息)?[来來]源|出[处處]|[转轉][载載]?自|摘自|原文链接|原文連結|原文|出典|출처"
    r"|المصدر|منبع|مەنبەسى|مەنبە"
)
_SEVERAL = (
    r"(?:original\s+|news\s+)?sources|quellen|fuentes|fontes|fonti|bronnen|kaynaklar|źródła|kilder|källor|(?:перво)?источники"
    r"|джерела|المصادر|منابع|مەنبەلەر"
)
_WORDS = rf"{_SEVERAL}|{_SINGULAR}"
#: The beginning of a source line: its word, and a colon, a dash or nothing more behind it.
LABEL = re.compile(
    rf"[\s\-–—•*·▪]*[(（\[【]?\s*(?P<word>{_WORDS})\s*(?P<mark>[:：】\]]|\s[-–—]+\s|[–—]|[)）]?$)\s*", re.IGNORECASE
)
#: A source in brackets at the end of a line.
BRACKETED = re.compile(
    rf"[(（\[【]\s*(?P<word>{_WORDS})(?:\s*(?P<mark>[:：])|\s)(?P<rest>[^()（）\[\]]*(?:[(（][^()（）]*[)）][^()（）\[\]]*)*)"
    r"[)）\]】]\s*[.。]?\s*$",
    re.IGNORECASE,
)
_PLURAL = re.compile(_SEVERAL, re.IGNORECASE)


def is_plural(label: re.Match[str]) -> bool:
    """True when a `LABEL` or `BRACKETED` is of several sources: `Sources:`."""
    return _PLURAL.match(label["word"]) is not None


def has_colon(label: re.Match[str]) -> bool:
    """True when a `LABEL` ends as only source lines do."""
    return label["mark"] in tuple(":：】]")


def begins_with_label(text: str) -> bool:
    """True when a line begins as source lines do: `Source:`."""
    label = LABEL.match(text)
    return label is not None and has_colon(label)
