"""What the pages that are written by hand point at is there: files, headings, commands, tests."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from schemas.settings import NOT_SETTINGS, Settings
from streams.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("benchmarks", "dashboards", "deploy", "hardware", "tests")
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(page for folder in OTHERS for page in (ROOT / folder).rglob("*.md")),
    ]
)
TEXTS = {str(page.relative_to(ROOT)): page.read_text("utf-8") for page in PAGES}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]*)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
CALL = re.compile(r"(?:^|[\s/&|;(])gridloom ([a-z].*)$")
CODE_PATH = re.compile(
    r"(?:benchmarks|dashboards|deploy|docs|hardware|processors|schemas|streams|tests)/[\w./-]+\.\w+"
)
TEST = re.compile(r"^([\w/]+\.py)::(test_\w+)$")
VARIABLE = re.compile(r"GRIDLOOM_[A-Z_]+[A-Z]")

every_page = pytest.mark.parametrize("name", TEXTS)


def _anchors(text: str) -> set[str]:
    """Headings as GitHub names them in links."""
    headings = re.findall(r"^#+ (.*?)\s*$", FENCE.sub("", text), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in plain}


def _code(text: str) -> Iterator[str]:
    """Whatever stands as code: spans, and every line of a block."""
    for block in FENCE.finditer(text):
        yield from block[0].splitlines()[1:-1]
    rest = FENCE.sub("", text)
    yield from (line.strip() for line in re.findall(r"^    (\S.*)$", rest, re.MULTILINE))
    # A span may go over the end of a line.
    yield from SPAN.findall(re.sub(r"(?<=\S)\n(?=\S)", " ", rest))


def _calls(text: str) -> Iterator[list[str]]:
    """The words after every ``gridloom`` that is called in code, up to a comment."""
    for code in _code(text):
        if found := CALL.search(code):
            yield re.split(r"\s+#|\\?[;&|]", found[1])[0].split()


def _options(command: object, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], set[str]]:
    """The options of every command, by its words."""
    match command:
        case TyperGroup():
            found = {path: set[str]()} if path else {}
            for name, each in command.commands.items():
                found |= _options(each, (*path, name))
            return found
        case TyperCommand():
            options = (set(each.opts) | set(each.secondary_opts) for each in command.params)
            return {path: set().union(*options)}
        case _:
            raise TypeError(type(command))


COMMANDS = _options(get_command(app))
GROUPS = {command[:-1] for command in COMMANDS if len(command) > 1}


@every_page
def test_every_relative_link_leads_to_a_file_and_its_heading(name: str) -> None:
    for target in LINK.findall(FENCE.sub("", TEXTS[name])):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name
        assert page.exists(), f"{target} leads nowhere"
        if anchor:
            assert anchor in _anchors(page.read_text("utf-8")), f"{target} has no such heading"


@every_page
def test_every_command_that_is_named_exists_with_its_options(name: str) -> None:
    for words in _calls(TEXTS[name]):
        called = " ".join(("gridloom", *words))
        command = max((each for each in COMMANDS if each == tuple(words)[: len(each)]), default=())
        assert command, f"{called}: there is no such command"
        assert command not in GROUPS or len(words) == 1, f"{called}: there is no such command"
        given = {option for word in words for option in re.findall(r"--[a-z][a-z-]*", word)}
        assert given <= COMMANDS[command] | {"--help"}, f"{called}: there is no such option"


def test_the_readme_names_every_command() -> None:
    named = {words[0] for words in _calls(TEXTS["README.md"])}
    assert named == {command[0] for command in COMMANDS}


@every_page
def test_every_path_of_the_code_that_is_named_exists(name: str) -> None:
    for code in SPAN.findall(TEXTS[name]):
        if CODE_PATH.fullmatch(code):
            assert (ROOT / code).exists(), code


@every_page
def test_every_variable_that_is_named_is_a_setting(name: str) -> None:
    dumped = Settings().model_dump()
    sections = {key: keys for key, keys in dumped.items() if isinstance(keys, dict)}
    nested = {f"{section}__{key}" for section, keys in sections.items() for key in keys}
    names = nested | (dumped.keys() - sections.keys())
    known = NOT_SETTINGS | {f"GRIDLOOM_{each}".upper() for each in names}
    assert set(VARIABLE.findall(TEXTS[name])) <= known


def test_every_guarantee_names_tests_that_exist() -> None:
    """DESIGN decision 13: the guarantees are a table, each row held by a test."""
    spans = SPAN.findall(TEXTS["docs/guarantees.md"])
    named = [found.groups() for code in spans if (found := TEST.match(code))]
    for path, test in named:
        # A table may leave out the folder.
        (file,) = {ROOT / "tests" / path} if "/" in path else (ROOT / "tests").rglob(path)
        source = file.read_text("utf-8")
        assert re.search(rf"^def {test}\(", source, re.MULTILINE), f"{path}::{test}"
    assert len(named) > 50
