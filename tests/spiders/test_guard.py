"""Only public addresses, at the address that would be used (faults 95 to 100)."""

from __future__ import annotations

import ipaddress

import pytest

from monitor.errors import AddressRefused
from monitor.model.sources import Outcome
from spiders import guard
from tests.names import Names
from tests.newsserver import Answer, rss
from tests.newsserver.certificates import Authority

FEED = Answer(body=rss([{"title": "One", "link": "http://example.org/1"}]))

# Every one leads (or might lead) somewhere that is not the public network.
SPELLINGS = [
    "127.0.0.1", "127.0.0.2", "127.255.255.255", "127.1", "127.0.1", "2130706433", "017700000001", "0x7f000001",
    "0x7f.1", "0x7F.0x0.0x0.0x1", "0177.0.0.1", "0177.0.0.01", "00000127.0.0.1", "127.0.0.1.", "0", "0.0.0.0",
    "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "3232235777", "0xc0a80101", "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "127.0.0.%31", "[::]", "[::1]",
    "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]",
    "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2002:c0a8:101::1]", "[2001::1]", "[2001:db8::1]", "[3fff::1]", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]",
    "[fe80::1%25lo]", "[fec0::1]", "[ff02::1]", "[ff0e::1]", "[100::1]", "[4000::1]", "[5f00::1]",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_f096_every_spelling_of_an_address_inside_is_refused(spelling):
    with pytest.raises(AddressRefused):
        guard.check(f"http://{spelling}/rss")


def test_f096_the_table_is_long_enough():
    assert len(set(SPELLINGS)) >= 60


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8/", "https://93.184.216.34:8443/a", "http://[2606:4700::1111]/", "http://[2a00:1450:4001::8a]:80/",
        "http://[::ffff:8.8.8.8]/", "http://[64:ff9b::8.8.8.8]/", "http://[2002:808:808::1]/", "https://www.bbc.co.uk/",
        "https://xn--4dbrk0ce.example/", "https://הארץ.example/", "http://192.0.1.1/", "http://a_b.example/",
        "http://x.example./",
    ],
)  # fmt: skip
def test_what_is_public_passes(url):
    assert guard.check(url).port


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:80\\@example.com/", "http://example.com\\.evil.example/", "http://user@example.com/",
        "http://user:secret@example.com/", "http://@example.com/",
        "http://example.com@127.0.0.1/", "http://exa mple.com/",
        "http://example.com/\r\nHost: x", "http://example.com\t/", "http://exam\0ple.com/", "\x01http://example.com/",
        " http://example.com/", "http://example.com/\x7f", "http://example.com:99999/", "http://example.com:port/",
        "http://example.com:0/", "http:///rss", "http://[::1/", "http://[not-an-address]/", "http://-a.example/",
        "http://a..example/", "http://exa%6dple.com/", "//example.com/rss", "example.com/rss", "",
        "http://example.com\u2028/", "http://[v1.x]/", "http://" + "a" * 64 + ".example/",
    ],
)  # fmt: skip
def test_f099_what_two_programs_could_read_differently_is_refused(url):
    with pytest.raises(AddressRefused):
        guard.check(url)


@pytest.mark.parametrize("scheme", ["file", "ftp", "s3", "data", "gopher", "javascript", "ws"])
def test_f100_no_other_scheme_is_fetched(scheme):
    with pytest.raises(AddressRefused, match="only http and https"):
        guard.check(f"{scheme}://example.com/etc/passwd")


def test_an_exception_is_one_host_and_one_port():
    assert guard.check("http://127.0.0.1:8080/", ("127.0.0.1:8080",)).netloc == "127.0.0.1:8080"
    for url in ("http://127.0.0.1:8081/", "http://127.0.0.1/", "http://127.0.0.2:8080/", "http://[::1]:8080/"):
        with pytest.raises(AddressRefused):
            guard.check(url, ("127.0.0.1:8080",))
    assert guard.check("http://[::1]:8080/", ("[::1]:8080",)).host == "http://[::1]:8080"


def test_a_host_always_has_its_port():
    assert guard.host_of("https://www.BBC.co.uk/news?x#y") == "https://www.bbc.co.uk:443"
    assert guard.host_of("http://[2600::1]/") == "http://[2600::1]:80"


def test_embedded_addresses_are_unwrapped():
    assert guard.embedded(ipaddress.ip_address("2002:7f00:1::")) == ipaddress.ip_address("127.0.0.1")
    assert guard.embedded(ipaddress.ip_address("2606:4700::1111")) is None


# ------------------------------------------------------------------ on the wire


def one(wire, run, names, *states):
    async def main():
        with Names(names).installed() as asked:
            async with wire.running():
                for state in states:
                    await wire.visit(state)
            return asked.asked

    return run(main())


def test_f095_a_source_inside_is_refused_before_connecting(wire, server, site, run, loop):
    wire.allow = ()
    answer_of = wire.source(site.url("/rss"))
    one(wire, run, {}, answer_of)
    assert wire.answers[0].outcome is Outcome.FAILED
    assert wire.answers[0].reason == "address refused: 127.0.0.2, which is not a public address"
    assert site.requests == []


def test_f095_a_name_that_leads_inside_is_refused_unless_it_is_allowed_by_name_and_port(wire, server, site, run, loop):
    site.on("/rss", FEED)
    state = wire.source(f"http://inside.example:{site.port}/rss")
    wire.allow = (site.netloc, "inside.example:1")  # its address is allowed, the name is not
    one(wire, run, {"inside.example": ["127.0.0.2"]}, state)
    assert wire.answers[0].outcome is Outcome.FAILED
    assert "robots rules" in wire.answers[0].reason
    assert site.requests == []
    wire.allow = (f"inside.example:{site.port}",)
    wire.arrivals.clear()
    wire.keeper.copies.clear()
    one(wire, run, {"inside.example": ["127.0.0.2"]}, state)
    assert wire.answers[0].outcome is Outcome.OK


def test_f095_the_refusal_names_what_the_name_leads_to(wire, site, run, loop):
    state = wire.source(f"http://inside.example:{site.port}/rss", of={"robots": "permitted: test"})
    one(wire, run, {"inside.example": ["::1"]}, state)
    assert wire.answers[0].reason.endswith(
        "address refused: inside.example leads to ::1, which is not a public address"
    )


def test_f095_an_allowed_port_opens_no_other(wire, server, site, run, loop, tmp_path):
    canary = server.site("127.0.0.2", tls=_tls(tmp_path))  # the same address, another port
    wire.allow = (site.netloc,)
    one(wire, run, {}, wire.source(canary.url("/rss"), of={"robots": "permitted: test"}))
    assert "not a public address" in wire.answers[0].reason
    assert canary.requests == []


def _tls(folder):
    return Authority(folder).context("127.0.0.2")


def test_f097_a_name_that_turns_inside_is_caught_where_it_connects(wire, site, run, loop):
    """One look-up a connection: what was judged is what is connected to, and a cached name is judged again."""
    site.on("/rss", FEED)
    name = f"turns.example:{site.port}"
    state = wire.source(f"http://{name}/rss", of={"robots": "permitted: test"})
    wire.allow = ()
    looked_up = one(wire, run, {"turns.example": [["8.8.8.8", "127.0.0.2"], ["127.0.0.2"]]}, state, state)
    assert all("not a public address" in answer.reason for answer in wire.answers)
    assert looked_up == ["turns.example"]
    assert site.requests == []


@pytest.mark.parametrize(
    "target",
    ["http://10.0.0.1/", "http://127.0.0.2:1/", "http://[::1]/", "http://2130706433/", "file:///etc/passwd", "ftp://a.example/",
     "data:text/plain,x", "http://127.0.0.1:80\\@example.com/", "http://user@example.com/", "//127.1/", "http://bad..name/"],
)  # fmt: skip
def test_f098_the_guard_holds_at_every_hop(wire, site, run, loop, target):
    site.answer("/rss", status=302, headers={"Location": target})
    one(wire, run, {}, wire.source(site.url("/rss")))
    assert wire.answers[0].outcome is Outcome.FAILED
    assert wire.answers[0].reason.startswith("address refused: ")
    assert site.paths() == ["/robots.txt", "/rss"]


def test_f098_a_meta_refresh_is_not_followed(wire, server, site, run, loop):
    other = server.site("127.0.0.5")
    page = (
        f'<html><head><meta http-equiv="refresh" content="0;url={other.url("/rss")}"></head><body>Moved</body></html>'
    )
    site.answer("/rss", headers={"Content-Type": "text/html"}, body=page)
    one(wire, run, {}, wire.source(site.url("/rss")))
    assert wire.answers[0].outcome is Outcome.BLOCKED
    assert other.requests == []


def test_f098_a_redirect_to_a_name_that_leads_inside_is_refused(wire, server, site, run, loop):
    canary = server.site("127.0.0.5")
    site.answer("/rss", status=302, headers={"Location": f"http://inside.example:{canary.port}/rss"})
    one(wire, run, {"inside.example": ["127.0.0.5"]}, wire.source(site.url("/rss")))
    assert wire.answers[0].outcome is Outcome.FAILED
    assert canary.requests == []
