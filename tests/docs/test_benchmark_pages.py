"""The benchmark pages show what was measured, and nothing else."""

from pathlib import Path

import pytest

from docs.make_benchmarks import BEGIN, END, FOLDER, IMAGES, index_text, kept, page_text
from docs.make_benchmarks import write_between_marks as write
from streams.benchmarking.figures import Report

REPORTS = list(kept())


def measured(page: Path) -> str:
    """What stands between the marks."""
    return page.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip()


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.results[0].name)
def test_a_page_shows_the_figures_that_are_kept_beside_it(report: Report) -> None:
    assert measured(FOLDER / f"{report.results[0].name}.md") == page_text(report)


def test_the_index_shows_every_goal_as_it_was_measured() -> None:
    assert measured(FOLDER / "README.md") == index_text(REPORTS)


def test_every_picture_is_shown_by_a_page() -> None:
    """One that is not was left over from another run."""
    pages = "".join(page.read_text("utf-8") for page in FOLDER.glob("*.md"))
    pictures = [path.name for path in IMAGES.glob("bench-*.svg")]
    assert pictures
    assert [name for name in pictures if name not in pages] == []


def test_only_what_stands_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"by hand\n{BEGIN}\nold\n{END}\nby hand, too\n", "utf-8")
    write(page, "new")
    assert page.read_text("utf-8") == f"by hand\n{BEGIN}\n\nnew\n\n{END}\nby hand, too\n"


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("by hand", "utf-8")
    with pytest.raises(ValueError, match="no marks"):
        write(page, "new")
    assert page.read_text("utf-8") == "by hand"
