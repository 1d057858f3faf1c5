"""The reference pages say what the code says, and nothing in them leads nowhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from schemas.settings import Settings
from schemas.site_model import Name, SiteModel
from schemas.topics import TOPICS
from schemas.verdict import Refusal
from streams.reference_docs.fields import codes_of, fields_of
from streams.reference_docs.pages import FOLDER, pages
from streams.reference_docs.wording import type_in_words
from tests.support.golden_messages import MESSAGES, STRUCTS

ROOT = Path(__file__).resolve().parents[2]
PAGES = pages()
WITHOUT_LINKS = {"settings.md", "metrics.md", "roles.md"}
LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")


def _section(page: str, title: str) -> str:
    """What stands below a heading, up to the next one."""
    return re.split(r"^#+ ", page.split(f"\n### {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def _anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_a_committed_page_is_what_the_code_says_now(name: str) -> None:
    """DESIGN decision 4: the reference of the messages is generated."""
    committed = (ROOT / FOLDER / name).read_text(encoding="utf-8")
    assert committed == PAGES[name], "run `python -m streams.reference_docs` and commit the pages"


def test_the_pages_are_written_into_the_working_folder(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "streams.reference_docs"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    folder = tmp_path / FOLDER
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {str(path.relative_to(folder)): path.read_text("utf-8") for path in files} == PAGES


def test_no_schema_is_left_of_a_message_that_is_gone() -> None:
    committed = {f"schemas/{path.name}" for path in (ROOT / FOLDER / "schemas").iterdir()}
    assert committed == {name for name in PAGES if name.startswith("schemas/")}


@pytest.mark.parametrize("name", [name for name in PAGES if name.endswith(".md")])
def test_every_link_leads_to_a_file_or_a_heading(name: str) -> None:
    links = LINK.findall(PAGES[name])
    for target, anchor in links:
        page = os.path.normpath(Path(name).parent / target) if target else name
        assert (ROOT / FOLDER / page).resolve().is_file()
        assert not anchor or anchor in _anchors(PAGES[page])
    assert links or name in WITHOUT_LINKS


@pytest.mark.parametrize("kind", STRUCTS)
def test_the_page_of_messages_names_every_field(kind: type[msgspec.Struct]) -> None:
    section = _section(PAGES["messages.md"], kind.__name__)
    for field in msgspec.structs.fields(kind):
        required = "required" if field.required else "`"
        assert re.search(rf"^\| `{field.encode_name}` \| .* \| {required}", section, re.MULTILINE)


def test_the_page_of_messages_names_every_message_once() -> None:
    headings = re.findall(r"^### (\w+)$", PAGES["messages.md"], re.MULTILINE)
    assert len(set(headings)) == len(headings)
    assert {kind.__name__ for kind in MESSAGES} <= set(headings)


def test_the_page_of_topics_names_every_topic_with_its_messages() -> None:
    rows = re.findall(r"^\| `([^`]*)` \| .*$", PAGES["topics.md"], re.MULTILINE)
    assert rows == [spec.name for spec in TOPICS]


def test_the_page_of_settings_names_every_section_and_variable() -> None:
    """S1-7: constants are configurable."""
    variables = set(re.findall(r"`(GRIDLOOM_\w+)` \|", PAGES["settings.md"]))
    dumped = Settings().model_dump()
    sections = {name: keys for name, keys in dumped.items() if isinstance(keys, dict)}
    nested = {f"{name}__{key}" for name, keys in sections.items() for key in keys}
    names = nested | (dumped.keys() - sections.keys())
    assert variables == {f"GRIDLOOM_{name}".upper() for name in names}


def test_the_sign_convention_is_on_the_page_of_messages() -> None:
    assert "Consumption is positive, generation is negative." in PAGES["messages.md"]


def test_a_meaning_that_goes_over_two_lines_belongs_to_its_own_key() -> None:
    (control,) = (f for f in fields_of(SiteModel) if f.name == "control")
    meanings = {field.name: field.meaning for field in fields_of(control.kinds[0])}
    assert meanings["lookahead_s"] == "how far ahead the threshold is held [s]."
    assert meanings["restores_per_window"] == "outputs that may come back in one window."


def test_a_code_has_the_meaning_that_stands_below_it() -> None:
    codes = dict(codes_of(Refusal))
    assert codes["real-board"] == "The site may command simulated boards only."
    assert list(codes) == list(Refusal)
    assert all(codes.values())


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (str | None, "text or null"),
        (tuple[float | None, ...], "list of (number or null)"),
        (dict[str, int], "map of integer"),
        (Name, "name"),
        (Refusal, "[Refusal](#refusal)"),
    ],
)
def test_a_type_is_put_into_words(annotation: object, words: str) -> None:
    assert type_in_words(annotation) == words


def test_a_type_that_no_message_has_is_refused() -> None:
    with pytest.raises(ValueError, match="unpack"):
        type_in_words(bytes)
