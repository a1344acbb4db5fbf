"""Every way in which the operator's files can be wrong, and that each is told with its file, line and key."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from config.errors import ConfigError
from config.load import load
from tests.config.right import CONCEPTS, OUTLET, SETTINGS, WATCHES, Write

SET = "wirewatch.toml"
OUT = "outlets/bbc.toml"
WAT = "watches/doha.toml"
CON = "concepts.toml"


class Broken(NamedTuple):
    """One broken file, and the problem it must be told as."""

    name: str
    file: str
    text: str | bytes
    line: int
    column: int
    key: str
    says: str


def swap(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def channel(lines: str) -> str:
    return f'{SETTINGS}\n[[channel]]\nid = "hook"\n{lines}\n'


def token(lines: str) -> str:
    return f'[[web.token]]\nid = "feeds"\n{lines}\n'


def source(lines: str) -> str:
    return f'{OUTLET}\n[[source]]\nid = "more"\nkind = "feed"\nurl = "https://bbc.example/feed"\n{lines}\n'


def watch(lines: str) -> str:
    return WATCHES + lines + "\n"


SYNTAX = [
    Broken("a value is missing", SET, "[service]\nbaseline =\n", 2, 11, "baseline", "Invalid value"),
    Broken("a key without a value", SET, "[service]\nbaseline\n", 2, 9, "", "Expected '='"),
    Broken("a header is left open", SET, "[service\n", 1, 9, "", "Expected ']'"),
    Broken("a string is left open", SET, '[service]\nbaseline = "2h\n', 2, 15, "baseline", "Illegal character"),
    Broken("two statements on a line", SET, '[web] address = "x"\n', 1, 7, "", "Expected newline"),
    Broken("a key twice", SET, '[service]\nbaseline = "2h"\nbaseline = "3h"\n', 3, 1, "service.baseline", "line 2"),
    Broken("a table twice", SET, "[service]\n[web]\n[service]\n", 3, 1, "service", "second time"),
    Broken("an unknown escape", SET, '[service]\nuser_agent = "a\\q"\n', 2, 18, "user_agent", "Unescaped"),
    Broken("a control character", SET, b'[service]\nuser_agent = "\x01"\n', 2, 15, "user_agent", "Illegal character"),
    Broken("half-written inside a long string", WAT, WATCHES + 'x = """\nto be\n', 7, 1, "x", "half-written"),
    Broken("half-written inside a list", WAT, WATCHES + 'on = ["new",\n', 7, 1, "on", "half-written"),
    Broken("half-written inside a header", WAT, WATCHES + "[[wat", 7, 6, "", "half-written"),
    Broken("half-written inside a letter", WAT, WATCHES.encode() + "# ש".encode()[:-1], 7, 3, "", "half-written"),
    Broken("half-written: empty", WAT, b"", 1, 1, "", "half-written"),
    Broken("half-written: blank", SET, b"\n\n", 1, 1, "", "half-written"),
    Broken("not UTF-8", OUT, OUTLET.encode() + '# שלום "\n'.encode("cp1255"), 13, 3, "", "not UTF-8"),
    Broken("UTF-16, as one editor saves", SET, SETTINGS.encode("utf-16"), 1, 1, "", "not UTF-8"),
    Broken("brackets by the thousand", SET, "x = " + "[" * 5000 + "]" * 5000, 1, 1, "", "nested too deeply"),
    Broken("a number of thousands of digits", SET, "x = " + "9" * 5000, 1, 1, "", "too long"),
    Broken("JSON instead", SET, '{"service": {}}\n', 1, 1, "", "Invalid statement"),
]

VALUES = [
    Broken("an unknown table", SET, SETTINGS + "[sevice]\n", 7, 1, "sevice", 'did you mean "service"?'),
    Broken("an unknown key", SET, '[service]\ntimezone = "UTC"\n', 2, 1, "service.timezone", "time_zone"),
    Broken("a key in the wrong place", SET, 'baseline = "2h"\n', 1, 1, "baseline", "unknown key"),
    Broken("a number for a duration", SET, "[service]\nbaseline = 2\n", 2, 1, "service.baseline", '"15m"'),
    Broken("a duration without a unit", SET, '[service]\nbaseline = "2"\n', 2, 1, "service.baseline", "unit"),
    Broken(
        "a duration past all time", SET, f'[service]\nbaseline = "{"9" * 12}d"\n', 2, 1, "service.baseline", "longer"
    ),
    Broken("a time zone that is none", SET, '[service]\ntime_zone = "Jerusalem"\n', 2, 1, "service.time_zone", "Asia/"),
    Broken("a number for text", SET, "[service]\nuser_agent = 5\n", 2, 1, "service.user_agent", "in quotes"),
    Broken("text for a list", SET, '[service]\nnotify = "a"\n', 2, 1, "service.notify", 'write as ["…"]'),
    Broken("text for a table", SET, 'service = "x"\n', 1, 1, "service", "must be a table"),
    Broken(
        "a table for an array of tables", SET, '[channel]\nid = "a"\nurl = "page"\n', 1, 1, "channel", "[[channel]]"
    ),
    Broken("an inline key", SET, "store.retention = { bodies = 3 }\n", 1, 21, "store.retention.bodies", "duration"),
    Broken("an address for all the world", SET, '[web]\naddress = "0.0.0.0:80"\n', 2, 1, "web.address", "loopback"),
    Broken("a star for an address", SET, '[web]\naddress = "*:80"\n', 2, 1, "web.address", "host:port"),
    Broken("a port that is none", SET, '[web]\naddress = "127.0.0.1:70000"\n', 2, 1, "web.address", "host:port"),
    Broken("no IP address", SET, '[web]\naddress = "256.0.0.1:80"\n', 2, 1, "web.address", "no IP address"),
    Broken("a password in the file", SET, '[web]\npassword = "canary"\n', 2, 1, "web.password", "env:NAME"),
    Broken("a token in the file", SET, token('secret = "canary"'), 3, 1, "web.token.feeds.secret", "env:NAME"),
    Broken(
        "a token that may all",
        SET,
        token('secret = "env:LONG"\nmay = "all"'),
        4,
        1,
        "web.token.feeds.may",
        '"review"',
    ),
    Broken("a public address without https", SET, '[web]\npublic_url = "x"\n', 2, 1, "web.public_url", "https://"),
    Broken("an allowed host without port", SET, '[allow]\nfetch = ["a"]\n', 2, 10, "allow.fetch[0]", "and a port"),
    Broken(
        "a severity misspelt",
        SET,
        channel('url = "page"\nmin_severity = "hihg"'),
        11,
        1,
        "channel.hook.min_severity",
        'did you mean "high"?',
    ),
    Broken("a channel without id", SET, SETTINGS + '[[channel]]\nurl = "page"\n', 7, 1, "channel[1].id", "is missing"),
    Broken("a channel without url", SET, channel(""), 8, 1, "channel.hook.url", "is missing"),
    Broken(
        "a channel's id with spaces",
        SET,
        SETTINGS + '[[channel]]\nid = "a b"\nurl = "page"\n',
        8,
        1,
        "channel[1].id",
        "must be an id",
    ),
    Broken(
        "a channel address in the clear",
        SET,
        channel('url = "slack://a/b/c"'),
        10,
        1,
        "channel.hook.url",
        "carry secrets",
    ),
    Broken("a channel url of another type", SET, channel("url = 5"), 10, 1, "channel.hook.url", "must be text"),
    Broken(
        "a channel file of another type",
        SET,
        channel("url = { file = 5 }"),
        10,
        9,
        "channel.hook.url.file",
        "must be text",
    ),
    Broken(
        "a channel table without file",
        SET,
        channel("url = { path = 'x' }"),
        10,
        9,
        "channel.hook.url.path",
        "unknown key",
    ),
    Broken(
        "a webhook without address",
        SET,
        channel('url = "webhook:https://"'),
        10,
        1,
        "channel.hook.url",
        "whole address",
    ),
    Broken(
        "a webhook with a password",
        SET,
        channel('url = "webhook:https://u:p@x.example"'),
        10,
        1,
        "channel.hook.url",
        "password",
    ),
    Broken(
        "a secret in the clear",
        SET,
        channel('url = "webhook:https://x.example"\nsecret = "whsec_x"'),
        11,
        1,
        "channel.hook.secret",
        "never hold it",
    ),
    Broken(
        "an outlet without name", OUT, swap(OUTLET, 'name = "BBC News"\n', ""), 1, 1, "outlet.bbc.name", "is missing"
    ),
    Broken("an outlet without source", OUT, OUTLET[: OUTLET.index("[[")], 1, 1, "outlet.bbc.source", "[[source]]"),
    Broken(
        "a language we do not read",
        OUT,
        swap(OUTLET, '"en"', '"fr"'),
        4,
        1,
        "outlet.bbc.language",
        '"en" or "he" or "ar"',
    ),
    Broken(
        "a home that is no address",
        OUT,
        swap(OUTLET, "https://www.bbc.com/news", "bbc.com"),
        3,
        1,
        "outlet.bbc.home",
        "https://",
    ),
    Broken(
        "an address with a port that is none",
        OUT,
        swap(OUTLET, "bbc.com/news", "bbc.com:99999"),
        3,
        1,
        "outlet.bbc.home",
        "Port",
    ),
    Broken(
        "an address with a space",
        OUT,
        swap(OUTLET, "bbc.com/news", "bbc.com/ news"),
        3,
        1,
        "outlet.bbc.home",
        "without spaces",
    ),
    Broken("a robots word without reason", OUT, "robots = 'permitted'\n" + OUTLET, 1, 1, "outlet.bbc.robots", "REASON"),
    Broken(
        "pages an hour as text",
        OUT,
        "pages_per_hour = '9'\n" + OUTLET,
        1,
        1,
        "outlet.bbc.pages_per_hour",
        "whole number",
    ),
    Broken(
        "too many pages an hour",
        OUT,
        "pages_per_hour = 9999\n" + OUTLET,
        1,
        1,
        "outlet.bbc.pages_per_hour",
        "600 or less",
    ),
    Broken("no page an hour", OUT, "pages_per_hour = 0\n" + OUTLET, 1, 1, "outlet.bbc.pages_per_hour", "1 or more"),
    Broken(
        "a cadence out of order",
        OUT,
        OUTLET + '[cadence]\nevery = "1m"\n',
        13,
        1,
        "outlet.bbc.cadence",
        "min <= every <= max",
    ),
    Broken(
        "a kind of source that is none",
        OUT,
        swap(OUTLET, '"feed"\nurl', '"rss"\nurl'),
        11,
        1,
        "outlet.bbc.source.top.kind",
        '"sitemap"',
    ),
    Broken(
        "a pattern that is none", OUT, source("only = '('"), 18, 1, "outlet.bbc.source.more.only", "regular expression"
    ),
    Broken(
        "a truth value as text",
        OUT,
        source('verify_tls = "no"'),
        18,
        1,
        "outlet.bbc.source.more.verify_tls",
        "true or false",
    ),
    Broken(
        "selectors on a feed",
        OUT,
        source("[source.selectors]\nentry = 'p'"),
        16,
        1,
        "outlet.bbc.source.more.kind",
        "listing",
    ),
    Broken(
        "a selector misspelt",
        OUT,
        source("[source.selectors]\nenty = 'p'"),
        19,
        1,
        "outlet.bbc.source.more.selectors.enty",
        '"entry"',
    ),
    Broken(
        "a watch without query", WAT, swap(WATCHES, 'when = "@hostage"\n', ""), 1, 1, "watch.deal.when", "is missing"
    ),
    Broken("a watch misspelt", WAT, "[[wach]]\nid = 'x'\n", 1, 1, "wach", 'did you mean "watch"?'),
    Broken("an event that is none", WAT, watch('on = ["new", "changed"]'), 7, 14, "watch.deal.on[1]", '"edited"'),
    Broken(
        "an example that is no text",
        WAT,
        watch("examples.hit = [1]"),
        7,
        17,
        "watch.deal.examples.hit[0]",
        "must be text",
    ),
    Broken(
        "an unknown key in an example", WAT, watch("examples.hits = []"), 7, 10, "watch.deal.examples.hits", '"hit"'
    ),
    Broken("a concept file without version", CON, swap(CONCEPTS, "version = 1\n", ""), 1, 1, "version", "version = 1"),
    Broken("a concept file of tomorrow", CON, swap(CONCEPTS, "version = 1", "version = 2"), 1, 1, "version", "write 1"),
    Broken(
        "a concept without a kind",
        CON,
        swap(CONCEPTS, 'kind = "word"\n', ""),
        3,
        1,
        "concepts.hostage.kind",
        '"name" or "word"',
    ),
    Broken(
        "an empty form", CON, swap(CONCEPTS, '["hostage"]', '["hostage", ""]'), 6, 18, "concepts.hostage.en[1]", "empty"
    ),
    Broken("an empty form after Hebrew", CON, CONCEPTS + 'he = ["חטוף", ""]', 7, 15, "concepts.hostage.he[1]", "empty"),
    Broken(
        "an empty weak form", CON, CONCEPTS + 'weak = { he = [" "] }\n', 7, 16, "concepts.hostage.weak.he[0]", "empty"
    ),
    Broken(
        "a concept without forms",
        CON,
        swap(CONCEPTS, '["hostage"]', "[]"),
        3,
        1,
        "concepts.hostage",
        "at least one language",
    ),
    Broken(
        "a concept name in capitals",
        CON,
        CONCEPTS + "[concepts.Doha]\nkind='name'\ngroup='place'\nen=['Doha']\n",
        7,
        1,
        "concepts.Doha",
        "small letters",
    ),
    Broken(
        "weak forms in another language",
        CON,
        CONCEPTS + "weak = { fr = ['x'] }\n",
        7,
        10,
        "concepts.hostage.weak.fr",
        "en, he, ar",
    ),
]

NAMES = [
    Broken(
        "a channel twice",
        SET,
        SETTINGS + '\n[[channel]]\nid = "newsroom"\nurl = "stdout"\n',
        9,
        1,
        "channel.newsroom.id",
        "wirewatch.toml, line 5",
    ),
    Broken(
        "a watch twice in a file",
        WAT,
        WATCHES + "[[watch]]\nid = 'deal'\ntitle = 'x'\nwhen = 'x'\n",
        8,
        1,
        "watch.deal.id",
        "line 2",
    ),
    Broken(
        "a watch twice over files", "watches/other.toml", WATCHES, 2, 1, "watch.deal.id", "watches/doha.toml, line 2"
    ),
    Broken(
        "a source twice", OUT, swap(source(""), '"more"', '"top"'), 15, 1, "outlet.bbc.source.top.id", "two sources"
    ),
    Broken(
        "an outlet not called like its file",
        "outlets/sky.toml",
        swap(OUTLET, '"bbc"', '"skynews"'),
        1,
        1,
        "outlet.sky.id",
        "skynews.toml",
    ),
    Broken("an outlet twice", "outlets/sky.toml", OUTLET, 1, 1, "outlet.sky.id", "another outlet"),
    Broken(
        "the service's own outlet",
        "outlets/wirewatch.toml",
        swap(OUTLET, '"bbc"', '"wirewatch"'),
        1,
        1,
        "outlet.wirewatch.id",
        "kept for",
    ),
    Broken(
        "the service's own watch",
        WAT,
        swap(WATCHES, '"deal"', '"wirewatch-notices"'),
        2,
        1,
        "watch.wirewatch-notices.id",
        "kept for",
    ),
    Broken(
        "an outlet that is none",
        WAT,
        swap(WATCHES, '["bbc"]', '["bbc", "bcc"]'),
        5,
        19,
        "watch.deal.outlets[1]",
        'did you mean "bbc"?',
    ),
    Broken(
        "f133: a watch's channel that is none",
        WAT,
        swap(WATCHES, '["newsroom"]', '["newsrom"]'),
        6,
        11,
        "watch.deal.notify[0]",
        'did you mean "newsroom"?',
    ),
    Broken(
        "f133: the service's channel that is none",
        SET,
        swap(SETTINGS, '["newsroom"]', '["desk"]'),
        2,
        11,
        "service.notify[0]",
        "there are: newsroom",
    ),
    Broken(
        "f133: no such variable",
        SET,
        channel('url = "env:NOT_SET"'),
        10,
        1,
        "channel.hook.url",
        "env:NOT_SET: there is no such environment variable",
    ),
    Broken("an empty variable", SET, channel('url = "env:EMPTY"'), 10, 1, "channel.hook.url", "env:EMPTY: is empty"),
    Broken("no such secret file", SET, channel('url = { file = "none" }'), 10, 1, "channel.hook.url", "No such file"),
    Broken(
        "a secret file that is a folder",
        SET,
        channel('url = { file = "outlets" }'),
        10,
        1,
        "channel.hook.url",
        "is not a file",
    ),
    Broken(
        "a secret that is no signing secret",
        SET,
        channel('url = "webhook:https://x.example"\nsecret = "env:NOTHING"'),
        11,
        1,
        "channel.hook.secret",
        "whsec_",
    ),
    Broken(
        "a signed page",
        SET,
        channel('url = "page"\nsecret = "env:SIGNING"'),
        11,
        1,
        "channel.hook.secret",
        "only a webhook",
    ),
    Broken("a short password", SET, '[web]\npassword = "env:SHORT"\n', 2, 1, "web.password", "at least 10"),
    Broken("a missing password", SET, '[web]\npassword = "env:NOT_SET"\n', 2, 1, "web.password", "no such"),
    Broken("a short token", SET, token('secret = "env:NOTHING"'), 3, 1, "web.token.feeds.secret", "at least 24"),
    Broken(
        "two doors with one key",
        SET,
        '[web]\npassword = "env:LONG"\n' + token('secret = "env:LONG"'),
        5,
        1,
        "web.token.feeds.secret",
        "the secret of web.password again",
    ),
    Broken(
        "two tokens of one name",
        SET,
        token('secret = "env:LONG"') + token('secret = "env:LONGER"'),
        5,
        1,
        "web.token.feeds.id",
        'two tokens are called "feeds"',
    ),
    Broken("an address without scheme", SET, channel('url = "env:NOTHING"'), 10, 1, "channel.hook.url", "no scheme"),
    Broken("two addresses in one", SET, channel('url = "env:TWO"'), 10, 1, "channel.hook.url", "more than one"),
    Broken(
        "a reference to a reference", SET, channel('url = "env:AGAIN"'), 10, 1, "channel.hook.url", "another reference"
    ),
    Broken(
        "a referred webhook without address",
        SET,
        channel('url = "env:HALF"'),
        10,
        1,
        "channel.hook.url",
        "whole address",
    ),
]

ENVIRON = {
    "EMPTY": " ",
    "NOTHING": "canary-nothing",
    "SIGNING": "whsec_" + "Y2FuYXJ5" * 4,
    "TWO": "slack://canary mailto://canary",
    "AGAIN": "env:CANARY",
    "HALF": "webhook:canary",
    "SHORT": "canary",
    "LONG": "canary" * 6,
    "LONGER": "canary" * 7,
}


@pytest.mark.parametrize("broken", [*SYNTAX, *VALUES, *NAMES], ids=lambda broken: broken.name)
def test_f138_each_error_is_told_with_file_line_and_key(broken: Broken, write: Write) -> None:
    folder = write({broken.file: broken.text})
    with pytest.raises(ConfigError) as caught:
        load(folder, environ=ENVIRON)
    place = (broken.file, broken.line, broken.column, broken.key)
    told = [str(each) for each in caught.value.problems if (each.file, each.line, each.column, each.key) == place]
    assert any(broken.says in each for each in told), str(caught.value)
    assert "canary" not in str(caught.value)


def test_an_error_inside_a_table_is_told_once(write: Write) -> None:
    text = swap(OUTLET, '"feed"\nurl', '"rss"\nurl')
    with pytest.raises(ConfigError) as caught:
        load(write({"outlets/bbc.toml": text}), environ={})
    assert len(caught.value.problems) == 1


def test_the_right_configuration_is_taken(write: Write) -> None:
    assert load(write({}), environ={}).watches["deal"].outlets == ("bbc",)
