"""The page of the comparison shows what was measured, and nothing else."""

from docs.make_benchmarks import END
from docs.make_counterfactual import BEGIN, PAGE, kept, page_text


def test_the_page_shows_the_figures_that_are_kept_beside_it() -> None:
    text = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip()
    assert text == page_text(kept())
