"""Makes docs/images/page.png: `gridloom page` in a browser, in the middle of a real demo run.

From the repository root: ``.venv/bin/python -m docs.make_page_picture``. It takes about two
minutes, and Debian's packages chromium and chromium-driver.
"""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from hardware.demo_site import demo_site
from hardware.simbench_slice import load_slice
from schemas.settings import load_settings
from streams.demo.runner import DemoCancelledError, DemoOptions, DemoRunner
from streams.demo.view import PlainView
from streams.demo.watcher import Observed
from tests.support.browser import chromium
from tests.support.page_process import serving

PICTURE: Final = Path(__file__).parent / "images" / "page.png"
WIDTH_PX, HEIGHT_PX = 1280, 940
WINDOWS: Final = 240
AT_WINDOW: Final = 110
"""Windows that are done when the page is opened: past the first peak."""

PATIENCE_S: Final = 60.0

IS_READY: Final = """
    return document.querySelector('.gl-pill-live') !== null
        && document.querySelector('.gl-bulb-off') !== null
        && document.querySelector('.js-plotly-plot .legendtext') !== null
"""
"""Whether the page has drawn its chart, has seen windows arrive, and shows a load that is off."""


class Photographer(PlainView):
    """Plain lines; takes the picture once enough windows are done."""

    def __init__(self, console: Console, home: Path) -> None:
        super().__init__(console, WINDOWS)
        self._home = home
        self.is_done = False

    def show(self, seen: Observed, done: int, note: str) -> None:
        """Show the present state, and take the picture when it is time."""
        super().show(seen, done, note)
        if done >= AT_WINDOW and not self.is_done:
            self._take()
            self.is_done = True

    def _take(self) -> None:
        with ExitStack() as stack:
            page = stack.enter_context(serving(self._home, "--timezone", "Europe/Berlin"))
            profile = self._home / "profile"
            browser = stack.enter_context(chromium(profile, width=WIDTH_PX, height=HEIGHT_PX))
            browser.get(page.url)
            _look_at(browser)


def _look_at(browser: Chrome) -> None:
    """Photograph the page once it is worth it."""
    WebDriverWait(browser, PATIENCE_S).until(lambda driver: driver.execute_script(IS_READY))
    browser.save_screenshot(str(PICTURE))


def photograph(home: Path) -> None:
    """Run the demo up to the picture, and stop it."""
    settings = load_settings().model_copy(update={"folder": home})
    view = Photographer(Console(stderr=True), home)
    site = demo_site(load_slice())
    runner = DemoRunner(settings, site, DemoOptions(WINDOWS), view, lambda: view.is_done)
    try:
        with view:
            runner.run()
    except DemoCancelledError:
        print(f"written: {PICTURE}")


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="gridloom-") as folder:
        photograph(Path(folder))
