"""Makes docs/images/demo.svg: the demo's live view, photographed in the middle of a real run.

From the repository root: ``COLUMNS=112 LINES=50 .venv/bin/python docs/make_picture.py``. It takes
about a minute. The chart asks the environment how wide it may be.
"""

import re
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console, RenderableType

from hardware.demo_site import demo_site
from hardware.simbench_slice import load_slice
from schemas.settings import load_settings
from streams.demo.runner import DemoCancelledError, DemoOptions, DemoRunner
from streams.demo.view import LiveView
from streams.demo.watcher import Observed

PICTURE: Final = Path(__file__).parent / "images" / "demo.svg"
TITLE: Final = "Gridloom demo: SimBench 1-LV-urban6, 15 min of data per minute, speed 10"
WIDTH: Final = 112
WINDOWS: Final = 240
AT_WINDOW: Final = 104
"""Windows that are done when the picture is taken: the middle of the peak."""


class Photographer(LiveView):
    """The live view; keeps what it shows once enough windows are done."""

    picture: RenderableType | None = None

    def show(self, seen: Observed, done: int, note: str) -> None:
        """Show the present state, and keep it when it is time."""
        super().show(seen, done, note)
        if done >= AT_WINDOW and self.picture is None:
            self.picture = self._live.renderable


def photograph() -> RenderableType:
    """Run the demo up to the picture, and stop it."""
    site = demo_site(load_slice())
    view = Photographer(Console(stderr=True, width=WIDTH), site.model, WINDOWS, TITLE)
    runner = DemoRunner(
        load_settings(), site, DemoOptions(WINDOWS), view, lambda: view.picture is not None
    )
    try:
        with view:
            runner.run()
    except DemoCancelledError:
        pass
    if view.picture is None:
        message = "the demo ended before the picture was taken"
        raise SystemExit(message)
    return view.picture


def as_svg(picture: RenderableType) -> str:
    """The picture as SVG, without the fonts that Rich would have a viewer fetch."""
    console = Console(record=True, width=WIDTH, file=StringIO())
    console.print(picture)
    svg = console.export_svg(title="gridloom demo")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(as_svg(photograph()), encoding="utf-8")
    print(f"written: {PICTURE}")
