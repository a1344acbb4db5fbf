"""Addresses: which may be followed, how they are shown, and the one form in which they are compared.

Three forms of ``https://www.bbc.co.uk/news/articles/c1o/?at_medium=RSS#0`` at the BBC::

    followed, shown   https://www.bbc.co.uk/news/articles/c1o/     `Rules.clean`
    compared          bbc.com/news/articles/c1o                    `Rules.compared`
    the outlet's id   c1o                                          `Rules.id_of`

The general rules are the tables below; an outlet's file adds to them and wins over them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, quote, unquote, urlsplit

from config.model.outlets import Outlet

# Query parameters that say where a reader came from, never what is read; in lower case, ``*`` stands for any end.
TRACKING = (
    "utm_*", "at_*", "mc_*", "pk_*", "ns_*", "taboola*", "fbclid", "gclid", "dclid", "msclkid", "igshid", "yclid",
    "twclid", "taid", "rpc", "traffic_source", "lts", "gift", "externalurl", "cmp", "cmpid", "intcmp", "ito", "ref_src",
    "smid", "ocid", "xtor", "outputtype", "amp", "nocache", "cachebuster", "cache_buster", "fb_*", "gbraid", "wbraid",
    "dicbo", "_ga", "_gl", "__twitter_impression",
)  # fmt: skip
# These say so too, but on some sites they name the article: dropped only where the path names one already.
TRACKING_BESIDE_A_PATH = ("ref", "mid")
# Other doors of one house. A name is only taken off when two labels remain (m.example.org, but not amp.dev).
DOORS = ("www.", "m.", "amp.", "mobile.", "edition.", "mail.")
# Last parts of a path that name the form of a page, not the page.
FORMS_OF_A_PAGE = ("index.html", "amp")

LONGEST = 8192
"""A longer address is not followed."""
_NOT_IN_AN_ADDRESS = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
_AROUND = " \t\r\n\f\u00a0"
_HOST = re.compile(r"\[[0-9a-f:.]+\]|[^\s\[\]<>\"'%^`{|}:]+")
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_SPACE = re.compile(r"\s")
_PLAIN = re.compile(r"[!-$&-~]*")  # visible ASCII without a percent sign: nearly every part of nearly every address
_DIVIDE_A_PATH = frozenset("%/?#\\")
_DIVIDE_A_QUERY = frozenset("%&=+#\\")


def followable(url: str) -> SplitResult | None:
    """The parts of an address that may be followed; None for anything else (F74, F75, F99).

    Only http and https. A backslash, a control character or a user part makes programs disagree about
    which host is meant, so an address with one is no address.
    """
    url = url.strip(_AROUND)
    if len(url) > LONGEST or _NOT_IN_AN_ADDRESS.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc or port == 0:
        return None
    host = parts.netloc.casefold().rpartition(":")[0] if re.search(r":\d*$", parts.netloc) else parts.netloc.casefold()
    return parts if _HOST.fullmatch(host) else None


def bare_host(host: str) -> str:
    """The host without the doors: lower case, no ``www.``, ``m.`` and the like, no final dot."""
    host = unicodedata.normalize("NFKC", host).casefold().rstrip(".")
    while door := next((door for door in DOORS if host.startswith(door) and host.count(".") > 1), None):
        host = host.removeprefix(door)
    return host


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """An address in the form in which two are compared."""

    host: str
    path: str
    query: str
    post: str
    """What names one post of a live page (kept parameters, kept fragment); empty: the page itself."""

    def __str__(self) -> str:
        return self.host + self.path + (f"?{self.query}" if self.query else "") + self.fragment

    @property
    def fragment(self) -> str:
        return self.post[self.post.index("#") :] if "#" in self.post else ""

    @property
    def home(self) -> bool:
        """It names the site and no article (F68)."""
        return not self.path and not self.query and not self.post


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The address rules of one outlet, ready for use."""

    first_host: str
    hosts: frozenset[str]
    exact: frozenset[str]
    begins: tuple[str, ...]
    kept: frozenset[str]
    fragment: re.Pattern[str] | None
    identity: tuple[re.Pattern[str], ...]
    same: frozenset[str]

    def clean(self, url: str) -> str:
        """The address as it is followed and shown: without tracking and idle fragments; empty if not followable."""
        parts = followable(url)
        if parts is None:
            return ""
        path = _plain_path(parts.path)
        pieces = [raw for raw, name, _ in _parameters(parts.query) if not self._is_tracking(name, path)]
        cleaned = f"{parts.scheme}://{parts.netloc.casefold()}{parts.path}"
        if pieces:
            cleaned += "?" + "&".join(pieces)
        if parts.fragment and self._names_a_post(parts.fragment):
            cleaned += "#" + parts.fragment
        return _SPACE.sub(lambda found: quote(found[0]), cleaned)

    def compared(self, url: str) -> Compared | None:
        """The form in which the address is compared; None if it is not followable."""
        parts = followable(url)
        if parts is None or parts.hostname is None:
            return None
        host, path = bare_host(parts.hostname), _plain_path(parts.path)
        pairs = sorted(
            (_plain(name.replace("+", " "), _DIVIDE_A_QUERY), _plain(value.replace("+", " "), _DIVIDE_A_QUERY))
            for raw, name, value in _parameters(parts.query)
            if not self._is_tracking(name, path)
        )
        post = "&".join(f"{name}={value}" for name, value in pairs if name.casefold() in self.kept)
        if parts.fragment and self._names_a_post(parts.fragment):
            post += "#" + _plain(parts.fragment, _DIVIDE_A_PATH)
        return Compared(
            host=self.first_host if host in self.same else host,
            path=path,
            query="&".join(f"{name}={value}" if value else name for name, value in pairs),
            post=post,
        )

    def id_of(self, address: Compared) -> str | None:
        """The outlet's own id of the article, and of the post on it; None where no rule fits."""
        for text in (f"{address.host}{address.path}?{address.query}", address.host + address.path):
            for pattern in self.identity:
                if (found := pattern.search(text.rstrip("?"))) and (
                    named := "/".join(part for part in found.groups() if part)
                ):
                    return named + (f" {address.post}" if address.post else "")
        return None

    def own(self, host: str) -> bool:
        """Whether the host (bare) is the outlet's, or a part of it."""
        return any(host == mine or host.endswith("." + mine) for mine in self.hosts)

    def _is_tracking(self, name: str, path: str) -> bool:
        name = unquote(name).casefold()
        if name in self.kept:
            return False
        if name in self.exact or name.startswith(self.begins):
            return True
        return name in TRACKING_BESIDE_A_PATH and re.search(r"[\d-][^/]*$", path) is not None

    def _names_a_post(self, fragment: str) -> bool:
        return self.fragment is not None and self.fragment.search(unquote(fragment)) is not None


def rules(outlet: Outlet) -> Rules:
    """The outlet's rules, made once for each version of its file."""
    return _rules(
        home=outlet.home,
        same_hosts=outlet.same_hosts,
        tracking=outlet.tracking,
        keep_parameters=outlet.keep_parameters,
        keep_fragment=outlet.keep_fragment,
        identity=tuple(rule.pattern for rule in outlet.identity),
    )


@lru_cache(maxsize=1024)
def _rules(
    *,
    home: str,
    same_hosts: tuple[str, ...],
    tracking: tuple[str, ...],
    keep_parameters: tuple[str, ...],
    keep_fragment: str | None,
    identity: tuple[str, ...],
) -> Rules:
    names = [name.casefold() for name in (*TRACKING, *tracking)]
    same = [bare_host(host) for host in same_hosts]
    home_host = bare_host(urlsplit(home).hostname or "")
    return Rules(
        first_host=same[0] if same else home_host,
        hosts=frozenset((home_host, *same)),
        same=frozenset(same),
        exact=frozenset(name for name in names if not name.endswith("*")),
        begins=tuple(name[:-1] for name in names if name.endswith("*")),
        kept=frozenset(name.casefold() for name in keep_parameters),
        fragment=re.compile(keep_fragment) if keep_fragment else None,
        identity=tuple(re.compile(pattern) for pattern in identity),
    )


def _parameters(query: str) -> Iterator[tuple[str, str, str]]:
    """Each parameter as written, its name and its value."""
    for raw in query.split("&"):
        if raw:
            name, _, value = raw.partition("=")
            yield raw, name, value


def _plain_path(path: str) -> str:
    """The path decoded, without empty and dot segments, final slash and the names of a page's form."""
    kept: list[str] = []
    for segment in path.split("/"):
        plain = _plain(segment, _DIVIDE_A_PATH)
        if plain == "..":
            del kept[-1:]
        elif plain not in ("", "."):
            kept.append(plain)
    while kept and (kept[-1] in FORMS_OF_A_PAGE or kept[-1].endswith(".amp")):
        last = kept.pop().removesuffix(".amp")
        if last and last not in FORMS_OF_A_PAGE:
            kept.append(last)
    return "".join("/" + segment for segment in kept)


def _plain(text: str, dividers: frozenset[str]) -> str:
    """Percent codes as the letters they stand for (UTF-8, NFC), so that their case does not matter; the letters
    that divide an address stay encoded, and so do bytes that are no UTF-8."""

    if _PLAIN.fullmatch(text):
        return text

    def decoded(found: re.Match[str]) -> str:
        try:
            letters = bytes.fromhex(found[0].replace("%", "")).decode()
        except UnicodeDecodeError:
            return found[0].upper()
        return "".join(f"%{ord(letter):02X}" if letter in dividers else letter for letter in letters)

    return "".join(
        f"%{ord(letter):02X}" if letter <= " " or letter == "\x7f" else letter
        for letter in unicodedata.normalize("NFC", _ENCODED.sub(decoded, text))
    )
