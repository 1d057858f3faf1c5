"""Writes what `gridloom counterfactual` found into its page, and draws the picture.

From the repository root: ``.venv/bin/python -m docs.make_counterfactual NAME=REPORT.json...``. Each
report is kept as ``docs/counterfactual/NAME.json``; without one the page is written anew from them.
The picture needs Debian's packages chromium and chromium-driver.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from docs.make_benchmarks import IMAGES, as_svg, open_plotly, write_between_marks
from streams.counterfactual.charts import picture_of
from streams.counterfactual.report import Comparison, sentences_of, sheet_of
from tests.support.browser import chromium

FOLDER: Final = Path(__file__).parent / "counterfactual"
PAGE: Final = Path(__file__).parent / "how-to" / "counterfactual.md"
BEGIN: Final = "<!-- measured: written by docs/make_counterfactual.py -->"
DRAWN: Final = "demo"
"""The report that is drawn."""


def kept() -> dict[str, Comparison]:
    """Every report that was kept, by name."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Comparison)
        for path in sorted(FOLDER.glob("*.json"))
    }


def page_text(reports: dict[str, Comparison]) -> str:
    """What was measured, in Markdown."""
    parts = [f"![net load of {DRAWN}](../images/counterfactual-{DRAWN}.svg)"]
    for report in reports.values():
        heading, rows = sheet_of(report)
        rule = ("---", *("---:" for _ in heading[1:]))
        lines = ["| " + " | ".join(cells) + " |" for cells in (heading, rule, *rows)]
        parts.append(f"**{report.source}**: {_days(report)}; base load x {report.scale:.4g}")
        parts.append("\n".join(lines))
        parts.append("\n".join(f"- {sentence}" for sentence in sentences_of(report)))
    return "\n\n".join(parts)


def _days(report: Comparison) -> str:
    return f"{report.windows:,} windows of {len(report.dates)} days, {', '.join(report.dates)}"


def draw(report: Comparison) -> None:
    """Draw the picture of one report."""
    with TemporaryDirectory() as profile, chromium(Path(profile)) as browser:
        open_plotly(browser)
        path = IMAGES / f"counterfactual-{DRAWN}.svg"
        path.write_text(as_svg(picture_of(report), browser) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Keep the reports, then write page and picture of all that is kept."""
    FOLDER.mkdir(exist_ok=True)
    for argument in arguments:
        name, _, path = argument.partition("=")
        report = msgspec.json.decode(Path(path).read_bytes(), type=Comparison)
        (FOLDER / f"{name}.json").write_bytes(msgspec.json.encode(report) + b"\n")
    reports = kept()
    write_between_marks(PAGE, page_text(reports), BEGIN)
    draw(reports[DRAWN])
    print(f"written: {PAGE}")


if __name__ == "__main__":
    main(sys.argv[1:])
