"""Loading: what replaces what, every problem at once, secrets that stay secret, places inside strings."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError, Problem
from config.load import load, place_in, shipped
from config.model.whole import Config
from config.positions import layout, unquoted
from config.schema import MODELS, schema
from tests.config.right import CONCEPTS, OUTLET, SETTINGS, WATCHES, Write

CANARY = "canary7f3a"
ADDRESS = f"slack://{CANARY}/{CANARY}/{CANARY}"
HOOK = "whsec_" + "Y2FuYXJ5N2Yz" * 3


def refused(folder: Path, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, environ=environ)
    return [str(problem) for problem in caught.value.problems]


def told(folder: Path) -> Config | tuple[Problem, ...]:
    try:
        return load(folder, environ={})
    except ConfigError as error:
        return error.problems


# ------------------------------------------------------------------ the folder


def test_what_ships_works_unedited_and_says_nothing() -> None:
    config = load(None, environ={})
    assert {channel.id for channel in config.settings.channel} == {"page", "terminal"}
    assert config.concepts["doha"].he == ("דוחא",)
    assert not config.warnings
    assert config.folder is None


def test_each_shipped_outlet_and_beat_is_read() -> None:
    config = load(None, environ={})
    assert set(config.outlets) == {path.stem for path in (shipped() / "outlets").glob("*.toml")}
    written = [tomllib.loads(path.read_text("utf-8")) for path in (shipped() / "watches").glob("*.toml")]
    assert set(config.watches) == {watch["id"] for beat in written for watch in beat.get("watch", ())}


def test_the_shipped_settings_state_the_defaults() -> None:
    settings = load(None, environ={}).settings
    assert settings.model_copy(update={"channel": ()}) == type(settings)()


def test_an_empty_folder_is_what_ships(tmp_path: Path) -> None:
    ours, theirs = load(tmp_path, environ={}), load(None, environ={})
    assert (ours.settings, ours.outlets, ours.concepts) == (theirs.settings, theirs.outlets, theirs.concepts)
    assert ours.places["channel.page.url"].file == "shipped/wirewatch.toml"
    assert ours.folder == str(tmp_path)


def test_a_part_that_is_there_replaces_the_shipped_one_whole(write: Write) -> None:
    config = load(write({}), environ={})
    assert set(config.outlets) == {"bbc"}
    assert set(config.watches) == {"deal"}
    assert set(config.concepts) == {"hostage"}
    assert [channel.id for channel in config.settings.channel] == ["newsroom"]


def test_concepts_that_extend_add_to_the_shipped_ones_and_replace_by_name(write: Write) -> None:
    config = load(write({"concepts.toml": "extend = true\n" + CONCEPTS}), environ={})
    assert config.concepts["hostage"].en == ("hostage",)
    assert not config.concepts["hostage"].he
    assert "doha" in config.concepts
    assert config.places["concepts.hostage"].file == "concepts.toml"
    assert config.places["concepts.doha"].file == "shipped/concepts.toml"
    assert "concepts.hostage.he" not in config.places


def test_files_of_editors_are_not_read(write: Write) -> None:
    folder = write({"outlets/.bbc.toml.swp": "x", "outlets/bbc.toml~": "x", "watches/.hidden.toml": "x ="})
    (folder / "outlets/.#bbc.toml").symlink_to("nobody@nowhere:1")
    assert set(load(folder, environ={}).outlets) == {"bbc"}


def test_a_byte_order_mark_and_windows_line_ends_are_read_as_what_they_are(write: Write) -> None:
    text = WATCHES.replace('"@hostage"', '"""\n@hostage AND\nזה"""').replace("\n", "\r\n")
    config = load(write({"watches/doha.toml": b"\xef\xbb\xbf" + text.encode()}), environ={})
    assert config.watches["deal"].when == "@hostage AND\nזה"
    assert str(place_in(config, "watch.deal.when", 14)) == "watches/doha.toml:6:2"


@pytest.mark.parametrize("name", ["wirewatch.toml", "outlets/bbc.toml", "watches/doha.toml", "concepts.toml"])
def test_f138_a_file_that_cannot_be_read_says_why(name: str, write: Write) -> None:
    folder = write({})
    (folder / name).unlink()
    (folder / name).symlink_to("nowhere")
    assert f"{name}:1:1: cannot be read: No such file or directory (a link that leads nowhere)" in refused(folder)


def test_f138_a_folder_or_a_pipe_in_place_of_a_file_is_refused_at_once(write: Write) -> None:
    folder = write({})
    (folder / "outlets/sky.toml").mkdir()
    os.mkfifo(folder / "outlets/pipe.toml")
    assert refused(folder) == [
        "outlets/pipe.toml:1:1: cannot be read: it is not a file",
        "outlets/sky.toml:1:1: cannot be read: it is a folder",
    ]


def test_f138_a_file_in_place_of_a_folder_is_refused(write: Write) -> None:
    folder = write({})
    (folder / "watches/doha.toml").unlink()
    (folder / "watches").rmdir()
    (folder / "watches").write_text(WATCHES)
    assert refused(folder) == ["watches:1:1: cannot be read as a folder: Not a directory"]


def test_f138_a_huge_file_is_refused_unread(write: Write) -> None:
    folder = write({})
    os.truncate(folder / "concepts.toml", 9 * 1024 * 1024)
    assert refused(folder) == ["concepts.toml:1:1: cannot be read: it is longer than 8 MiB"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_f138_a_file_without_permission_says_so(write: Write) -> None:
    folder = write({})
    (folder / "concepts.toml").chmod(0)
    assert refused(folder) == ["concepts.toml:1:1: cannot be read: Permission denied"]


def test_a_folder_that_is_not_there_names_the_command_that_writes_one(tmp_path: Path) -> None:
    [problem] = refused(tmp_path / "none")
    assert "No such file or directory" in problem
    assert "wirewatch init" in problem


def test_every_error_of_every_file_is_told_at_once_in_the_order_of_the_files(write: Write) -> None:
    folder = write(
        {
            "wirewatch.toml": '[service]\nbaseline = "2"\nnotify = ["desk"]\nnope = 1\n',
            "outlets/bbc.toml": "id =\n",
            "outlets/sky.toml": OUTLET.replace('"bbc"', '"sky"')
            .replace('"en"', '"fr"')
            .replace('"feed"\nurl', '"rss"\nurl'),
            "watches/doha.toml": WATCHES.replace('["newsroom"]', '["desk"]') + 'severity = "hot"\n',
            "concepts.toml": "version = 1\nversion = 2\n",
        }
    )
    assert [problem.split(": ")[0] for problem in refused(folder)] == [
        "wirewatch.toml:2:1", "wirewatch.toml:3:11", "wirewatch.toml:4:1",
        "outlets/bbc.toml:1:5", "outlets/sky.toml:4:1", "outlets/sky.toml:11:1",
        "watches/doha.toml:6:11", "watches/doha.toml:7:1", "concepts.toml:2:1",
    ]  # fmt: skip


def test_a_watch_of_an_outlet_whose_file_is_broken_is_not_blamed(write: Write) -> None:
    assert [problem[:20] for problem in refused(write({"outlets/bbc.toml": "id ="}))] == ["outlets/bbc.toml:1:5"]


def test_a_watch_may_name_the_service_itself_as_outlet(write: Write) -> None:
    text = WATCHES.replace('["bbc"]', '["wirewatch"]')
    assert load(write({"watches/doha.toml": text}), environ={}).watches["deal"].outlets == ("wirewatch",)


@pytest.mark.parametrize("cut", range(1, len(WATCHES)))
def test_f138_a_watch_file_cut_anywhere_is_refused_or_whole(cut: int, write: Write) -> None:
    """What is cut off between two keys cannot be told from what was never meant; it never ends in a half value."""
    outcome = told(write({"watches/doha.toml": WATCHES[:cut]}))
    if isinstance(outcome, Config):
        assert outcome.watches["deal"].when == "@hostage"
    else:
        assert {problem.file for problem in outcome} == {"watches/doha.toml"}


# ------------------------------------------------------------------ secrets


def hooked(write: Write, *, url: str, more: str = "") -> Path:
    return write({"wirewatch.toml": f'{SETTINGS}\n[[channel]]\nid = "hook"\nurl = {url}\n{more}'})


def nowhere_but_in_secrets(config: Config) -> None:
    told = [repr(config), str(config), str(config.model_dump()), config.model_dump_json(), repr(config.secrets)]
    told += [json.dumps(schema(kind)) for kind in MODELS]
    assert not any(CANARY in each or HOOK in each for each in told)


def test_references_are_followed_through_the_environment_and_files(write: Write) -> None:
    folder = hooked(write, url='"env:A"', more='[[channel]]\nid = "mail"\nurl = { file = "mail.secret" }\n')
    (folder / "mail.secret").write_text(f"mailtos://u:{CANARY}@x.example\n")
    (folder / "mail.secret").chmod(0o600)
    config = load(folder, environ={"A": ADDRESS})
    assert {key: secret.get_secret_value() for key, secret in config.secrets.items()} == {
        "channel.hook.url": ADDRESS,
        "channel.mail.url": f"mailtos://u:{CANARY}@x.example",
    }
    assert not config.warnings
    nowhere_but_in_secrets(config)


def test_a_webhooks_signing_secret_is_followed(write: Write) -> None:
    folder = hooked(write, url='"webhook:https://x.example/hook"', more='secret = "env:B"\n')
    config = load(folder, environ={"B": HOOK})
    assert config.secrets["channel.hook.secret"].get_secret_value() == HOOK
    nowhere_but_in_secrets(config)


@pytest.mark.parametrize(
    "value", [CANARY, f"{CANARY} {CANARY}", f"env:{CANARY}", f"webhook:{CANARY}", f"{CANARY}\n{CANARY}"]
)
def test_f135_a_bad_address_is_told_by_its_reference_alone(value: str, write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load(hooked(write, url='"env:A"'), environ={"A": value})
    assert "env:A" in str(caught.value)
    seen: BaseException | None = caught.value
    while seen is not None:
        assert CANARY not in str(seen) + repr(seen)
        seen = seen.__cause__ or seen.__context__


def test_f135_an_address_in_the_wrong_key_is_not_repeated(write: Write) -> None:
    lines = f'id = "{ADDRESS}"\nurl = "{ADDRESS}"\nsecret = "{ADDRESS}"\nmin_severity = "{ADDRESS}"\n'
    watch = WATCHES.replace('["newsroom"]', f'["{ADDRESS}"]')
    folder = write(
        {"wirewatch.toml": f"[[channel]]\n{lines}[web]\npublic_url = '{ADDRESS}'", "watches/doha.toml": watch}
    )
    problems = refused(folder)
    assert len(problems) == 6
    assert CANARY not in "".join(problems)


def test_f143_a_secret_file_open_to_others_is_warned_of(write: Write) -> None:
    folder = hooked(write, url='{ file = "hook" }')
    (folder / "hook").write_text(ADDRESS)
    warned = {}
    for mode in (0o600, 0o640, 0o644, 0o660):
        (folder / "hook").chmod(mode)
        warned[mode] = [line.split(";")[0] for line in load(folder, environ={}).warnings]
    assert warned == {
        0o600: [],
        0o640: [],
        0o644: ["file:hook: holds a secret and can be read by every account of this machine"],
        0o660: ["file:hook: can be changed by other accounts of this machine"],
    }


@pytest.mark.parametrize(("mode", "warnings"), [(0o644, 0), (0o664, 1), (0o646, 1)])
def test_f143_settings_that_others_can_change_are_warned_of(mode: int, warnings: int, write: Write) -> None:
    folder = write({})
    (folder / "wirewatch.toml").chmod(mode)
    assert len(load(folder, environ={}).warnings) == warnings


def test_what_looks_like_ours_but_is_not_read_is_warned_of(write: Write) -> None:
    folder = write({"concept.toml": "", "watch/x.toml": "", "outlets/sky.tml": "", "README.md": "", "wirewatch.db": ""})
    assert load(folder, environ={}).warnings == (
        'concept.toml: not read; did you mean "concepts.toml"?',
        'watch: not read; did you mean "watches"?',
        "outlets/sky.tml: not read: its name does not end in .toml",
    )


def test_an_empty_folder_of_outlets_is_warned_of(write: Write) -> None:
    folder = write({"watches/doha.toml": WATCHES.replace('outlets = ["bbc"]\n', "")})
    (folder / "outlets/bbc.toml").unlink()
    [warning] = load(folder, environ={}).warnings
    assert warning.startswith("outlets/: holds no .toml file")


# ------------------------------------------------------------------ places

LETTERS = ["a", "Z", " ", "\t", "é", "א", "ش", "\u0301", "😀", "'", '"', "#", "=", "["]
BASIC = ["\\n", "\\t", '\\"', "\\\\", "\\u05d0", "\\U0001F600"]
LINES = ["\n", "\r\n", "\n\n"]
PARTS = {
    '"': [letter for letter in LETTERS if letter != '"'] + BASIC,
    "'": [letter for letter in LETTERS if letter != "'"] + ["\\", "\\n"],
    '"""': [*LETTERS, *(escape for escape in BASIC if escape != '\\"'), *LINES, "\\\n", "\\  \r\n\n\t "],
    "'''": [*LETTERS, *LINES, "\\", "\\n"],
}
VISIBLE = frozenset("aZéאش😀#=[")


@st.composite
def strings(draw: st.DrawFn) -> str:
    """A string as an operator may write it: one of TOML's four kinds, quotes included."""
    quote = draw(st.sampled_from(list(PARTS)))
    body = "".join(draw(st.lists(st.sampled_from(PARTS[quote]), max_size=30)))
    mark = quote[0]
    if len(quote) == 3:
        body = body.replace(mark * 3, mark * 2)
        while mark * 3 in body:
            body = body.replace(mark * 3, mark)
        body = body.rstrip(mark)
    return quote + body + quote


@given(string=strings(), indent=st.sampled_from(["", "  "]))
def test_place_in_points_at_the_very_character(
    string: str, indent: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("places")
    for part in ("outlets", "watches"):
        (folder / part).mkdir()
    (folder / "concepts.toml").write_text(CONCEPTS)
    text = f"# שלום\n[[watch]]\nid = 'x'\ntitle = 'é'\n{indent}when = {string}\nseverity = 'high'\n"
    (folder / "watches/x.toml").write_bytes(text.encode())
    config = load(folder, environ={})
    when = config.watches["x"].when
    lines = text.split("\n")
    for offset, character in enumerate(when):
        place = place_in(config, "watch.x.when", offset)
        there = lines[place.line - 1][place.column - 1 :]
        assert there.startswith((character, "\\")) or character == "\n", (offset, place)
        if character in VISIBLE and not there.startswith("\\"):
            assert there[0] == character
    end = place_in(config, "watch.x.when", len(when))
    assert lines[end.line - 1][end.column - 1 :].startswith(string[0])
    assert config.places["watch.x.severity"].line == text[: text.index("severity")].count("\n") + 1


@given(string=strings())
def test_positions_read_strings_as_tomllib_does(string: str) -> None:
    assert unquoted(string) == tomllib.loads(f"x = {string}")["x"]


@given(st.text(st.sampled_from(list("[]{}=.,\"'\\#\n\r auU1é")), max_size=40))
def test_a_layout_is_found_of_any_text(text: str) -> None:
    layout(text)


@pytest.mark.parametrize(
    ("string", "offset", "line", "column"),
    [
        ('"abc"', 1, 4, 10),
        (r'"\u05d0bc"', 1, 4, 15),
        ("'אבc'", 2, 4, 11),
        ('"""\nab\ncd"""', 4, 6, 2),
        ('"""a\\\n   b"""', 1, 5, 4),
        ("'''\nab\n  cd'''", 5, 6, 3),
        ("'''\r\na\r\nb'''", 2, 6, 1),
        ("'''ab'''", 99, 4, 13),
    ],
)
def test_place_in_by_example(string: str, offset: int, line: int, column: int, write: Write) -> None:
    text = f"[[watch]]\nid = 'x'\ntitle = 'y'\nwhen = {string}\n"
    place = place_in(load(write({"watches/doha.toml": text}), environ={}), "watch.x.when", offset)
    assert (place.file, place.line, place.column) == ("watches/doha.toml", line, column)


def test_place_in_counts_characters_where_hebrew_stands_before_the_value(write: Write) -> None:
    folder = write({"concepts.toml": CONCEPTS + 'he = ["חטוף", "בן ערובה"]\n'})
    assert str(place_in(load(folder, environ={}), "concepts.hostage.he[1]", 3)) == "concepts.toml:7:19"


def test_place_in_of_what_stands_in_no_file_says_so(write: Write) -> None:
    config = load(write({}), environ={})
    assert str(place_in(config, "watch.wirewatch-notices.when", 3)) == "(built in):1:1"
    assert str(place_in(config, "watch.deal.notify", 3)) == "watches/doha.toml:6:1"


def test_places_name_tables_by_their_id(write: Write) -> None:
    places = load(write({}), environ={}).places
    assert str(places["outlet.bbc.source.top.url"]) == "outlets/bbc.toml:12:1"
    assert str(places["watch.deal"]) == "watches/doha.toml:1:1"
    assert str(places["channel.newsroom.url"]) == "wirewatch.toml:6:1"
    assert str(places["service.notify[0]"]) == "wirewatch.toml:2:11"
