"""Writes the figures of benchmark reports into docs/benchmarks, and draws their pictures.

From the repository root: ``.venv/bin/python -m docs.make_benchmarks REPORT.json...``, with
reports of ``gridloom bench NAME --json REPORT.json``. Each result is kept as
``docs/benchmarks/NAME.json``; without a report the pages are written anew from those. Pictures
need Debian's packages chromium and chromium-driver.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import unquote

import msgspec
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from selenium.webdriver import Chrome

from streams.benchmarking.figures import Report, Result
from streams.benchmarking.plots import pictures_of
from streams.benchmarking.sheets import Sheet, goal_sheet, machine_lines, sheets_of
from tests.support.browser import chromium

FOLDER: Final = Path(__file__).parent / "benchmarks"
IMAGES: Final = Path(__file__).parent / "images"
BEGIN: Final = "<!-- measured: written by docs/make_benchmarks.py -->"
END: Final = "<!-- end of what was measured -->"

_DRAW: Final = """
    const [figure, done] = arguments;
    const {width, height} = figure.layout;
    Plotly.toImage(figure, {format: 'svg', width, height}).then(done);
"""


def keep(report: Report) -> None:
    """Keep every result of a report beside its page, with the machine that it is from."""
    for result in report.results:
        alone = msgspec.structs.replace(report, results=(result,))
        (FOLDER / f"{result.name}.json").write_bytes(alone.to_json() + b"\n")


def kept() -> Iterator[Report]:
    """Every result that was kept, one in each report."""
    for path in sorted(FOLDER.glob("*.json")):
        yield msgspec.json.decode(path.read_bytes(), type=Report)


def page_text(report: Report) -> str:
    """What was measured, in Markdown."""
    (result,) = report.results
    parts = [] if not report.quick else ["**A quick run: it says that all works, not how fast.**"]
    parts += [
        f"![{name} of {result.name}](../images/{_picture_name(result, name)})"
        for name in pictures_of(result)
    ]
    parts += [_table(sheet) for sheet in sheets_of(result)]
    parts.append("\n".join(f"- {note}" for note in result.notes))
    parts.append("\n".join(f"- {line}" for line in machine_lines(report.machine)))
    return "\n\n".join(filter(None, parts))


def index_text(reports: list[Report]) -> str:
    """All goals and whether they are met, in Markdown."""
    return _table(goal_sheet(result for report in reports for result in report.results))


def _table(sheet: Sheet) -> str:
    rule = ("---",) * len(sheet.columns)
    lines = ("| " + " | ".join(cells) + " |" for cells in (sheet.columns, rule, *sheet.rows))
    return "\n".join((f"**{sheet.title}**", "", *lines))


def _picture_name(result: Result, name: str) -> str:
    return f"bench-{result.name}-{name}.svg"


def write_between_marks(path: Path, text: str, mark: str = BEGIN) -> None:
    """Replace what stands between the marks of a page, ``mark`` and ``END``.

    Raises:
        ValueError: the page has no marks.
    """
    before, begin, rest = path.read_text("utf-8").partition(mark)
    _, end, after = rest.partition(END)
    if not (begin and end):
        message = f"{path} has no marks: {mark} and {END}"
        raise ValueError(message)
    path.write_text(f"{before}{mark}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def draw(reports: list[Report], browser: Chrome) -> None:
    """Draw every picture of every report."""
    open_plotly(browser)
    for report in reports:
        (result,) = report.results
        for old in IMAGES.glob(f"bench-{result.name}-*.svg"):
            old.unlink()
        for name, picture in pictures_of(result).items():
            path = IMAGES / _picture_name(result, name)
            path.write_text(as_svg(picture, browser) + "\n", encoding="utf-8")


def open_plotly(browser: Chrome) -> None:
    """Load Plotly into an empty page, before :func:`as_svg`."""
    browser.get("about:blank")  # the first page lets no script write into it
    browser.execute_script(get_plotlyjs())


def as_svg(picture: go.Figure, browser: Chrome) -> str:
    """A picture as SVG."""
    address: str = browser.execute_async_script(_DRAW, picture.to_plotly_json())
    return unquote(address.partition(",")[2])


def main(paths: list[Path]) -> None:
    """Keep the reports, then write pages and pictures of all that is kept."""
    for path in paths:
        keep(msgspec.json.decode(path.read_bytes(), type=Report))
    reports = list(kept())
    for report in reports:
        write_between_marks(FOLDER / f"{report.results[0].name}.md", page_text(report))
    write_between_marks(FOLDER / "README.md", index_text(reports))
    with TemporaryDirectory() as profile, chromium(Path(profile)) as browser:
        draw(reports, browser)
    print(f"written: {len(reports)} pages in {FOLDER}, pictures in {IMAGES}")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
