"""What Streamlit runs, for every browser that looks; see :mod:`streams.page.serving`."""

import time

import streamlit as st

from schemas.settings import load_settings
from streams.page.app import draw
from streams.page.feed import Feed
from streams.page.opening import HistorianChoice
from streams.page.serving import PageOptions


@st.cache_resource
def _feed(options: PageOptions) -> Feed:
    """The one feed of all who look."""
    historian = HistorianChoice(load_settings)
    return Feed(historian.open, options.zone, options.offline_after_s, time.monotonic)


if __name__ == "__main__":
    chosen = PageOptions.from_arguments()
    draw(_feed(chosen), chosen.zone)
