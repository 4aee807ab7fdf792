"""Canonical URLs: without tracking parameters, fragments and what else does not change the page."""

import hashlib
import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

_TRACKING = re.compile(
    r"(utm_|at_|mc_|hsa_|_hs|mtm_|pk_|piwik_|matomo_|oly_|vero_|wt_|ns_)\w*"
    r"|fbclid|gclid|gclsrc|gbraid|wbraid|dclid|msclkid|yclid|ysclid|twclid|ttclid|li_fat_id|igshid|igsh|mkt_tok|spm"
    r"|ref|ref_src|ref_url|referrer|source|from|cmp|cmpid|s_cid|ocid|icid|ito|smid|smtyp|sharetype|fb_ref|rss|wprov"
    r"|guccounter|guce_referrer(_sig)?|__twitter_impression",
    re.IGNORECASE,
)

#: Hosts that show the pages of another: its own name with one of these before it. Not dropped from a name of two parts.
_SAME_SITE = re.compile(r"^(?:www\d?|m|mobile|amp)\.(?=[^.]+\.[^.])|(?<=\.)m\.(?=wikipedia\.org$)")
#: AMP pages of a site (a path or parameter of theirs), and the caches that carry them under their own name.
_AMP_PATH = re.compile(r"^/amp(?=/.)|/amp(?:\.html?)?$|\.amp(?=\.html?$|$)", re.IGNORECASE)
_AMP_PARAMETERS = re.compile(r"amp|amp_js_v|amp_gsa|outputtype|usqp", re.IGNORECASE)
_AMP_CACHE = re.compile(
    r"https?://(?:(?:www\.)?google\.[a-z.]{2,6}/amp/|[^/]+\.cdn\.ampproject\.org/[cv]/)(?:s/)?", re.IGNORECASE
)


def canonical(url: str) -> str:
    """The form in which two URLs of one page are the same; empty when `url` is not http(s).

    These make no difference: http or https; a `www.`, `m.`, `mobile.` or `amp.` before the host; an AMP path, parameter or
    cache; a closing slash; a fragment; the order of parameters, and those for tracking. A wrong "same" costs little (two
    summaries share one place in a mail), a wrong "different" tells one story twice.
    """
    try:
        parts = urlsplit(_AMP_CACHE.sub("https://", url.strip()))
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not host:
        return ""
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [pair for pair in pairs if not _TRACKING.fullmatch(pair[0]) and not _is_amp(*pair)]
    path = _AMP_PATH.sub("", re.sub(r"/{2,}", "/", parts.path).rstrip("/")).rstrip("/") or "/"
    path = quote(unquote(path, errors="surrogateescape"), safe="/:@!$&'()*+,;=~-._", errors="surrogateescape")
    host = _SAME_SITE.sub("", host)
    place = host if port in (None, 80, 443) else f"{host}:{port}"
    return urlunsplit(("https", place, path, urlencode(sorted(kept)), ""))


def _is_amp(name: str, value: str) -> bool:
    return bool(_AMP_PARAMETERS.fullmatch(name)) and (name.lower() != "outputtype" or value.lower() == "amp")


def original(url: str) -> str:
    """`canonical`, but empty for a site's home page: that is not the address of one article."""
    plain = canonical(url)
    if not plain:
        return ""
    parts = urlsplit(plain)
    return plain if parts.path != "/" or parts.query else ""


def url_hash(canonical_url: str) -> bytes:
    """SHA-256 of a canonical URL: what `story.url_hash` and `citation.url_hash` hold."""
    return hashlib.sha256(canonical_url.encode()).digest()
