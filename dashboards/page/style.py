"""How the page's own HTML looks.

Grounds and borders are mixed from the text's own colour, and so follow a dark or a light theme.
"""

from typing import Final

GREEN: Final = "#2f9e44"
ORANGE: Final = "#e8740c"
RED: Final = "#e03131"
BLUE: Final = "#2b8ae2"
GREY: Final = "#8a929a"
"""Colours that are legible on white and on near-black."""

STYLE: Final = f"""<style>
.block-container, [data-testid="stMainBlockContainer"] {{ padding: 1.4rem 2rem 2rem; }}
.gl-head {{ display: flex; align-items: baseline; gap: .9rem; flex-wrap: wrap; }}
.gl-head h1 {{ font-size: 1.55rem; font-weight: 650; margin: 0; padding: 0; }}
.gl-note, .gl-detail, .gl-caveat {{ margin: 0; opacity: .72; font-size: .82rem; }}
.gl-pill {{ border: 1px solid currentColor; border-radius: 1rem; padding: .05rem .7rem;
  font-size: .82rem; font-weight: 600; white-space: nowrap; }}
.gl-pill-live {{ color: {GREEN}; }}
.gl-pill-waiting {{ color: {ORANGE}; }}
.gl-pill-offline {{ color: {RED}; }}
.gl-cards {{ display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); }}
.gl-card {{ border: 1px solid color-mix(in srgb, currentColor 16%, transparent);
  border-radius: .6rem; padding: .7rem .95rem .75rem;
  background: color-mix(in srgb, currentColor 3%, transparent); }}
.gl-card h3, .gl-side h3, .gl-h {{ font-size: .86rem; font-weight: 600; margin: 0; padding: 0;
  opacity: .85; letter-spacing: 0; }}
.gl-value {{ font-size: 1.75rem; font-weight: 650; line-height: 1.25; margin: .1rem 0 .15rem;
  font-variant-numeric: tabular-nums; }}
.gl-value-unknown {{ opacity: .55; font-style: italic; font-weight: 500; }}
.gl-caveat {{ font-size: .76rem; margin-top: .3rem; }}
ul.gl-lamps {{ list-style: none; margin: .5rem 0 0; padding: 0; }}
ul.gl-lamps li.gl-lamp {{ display: grid; grid-template-columns: 1.7rem 1fr auto 4.3rem;
  align-items: center; gap: .4rem; padding: .5rem 0; margin: 0; font-size: .86rem;
  white-space: nowrap;
  border-bottom: 1px solid color-mix(in srgb, currentColor 10%, transparent); }}
.gl-bulb {{ width: 1.25rem; height: 1.25rem; border-radius: 50%; display: grid;
  place-items: center; font-size: .78rem; font-weight: 700; box-sizing: border-box; }}
.gl-bulb-on {{ background: {GREEN}; box-shadow: 0 0 .5rem {GREEN}; }}
.gl-bulb-off {{ border: 2.5px solid {RED}; }}
.gl-bulb-unknown {{ border: 2px dashed {GREY}; color: {GREY}; }}
.gl-lamp-load {{ opacity: .72; font-variant-numeric: tabular-nums; }}
.gl-lamp-state {{ font-weight: 600; text-align: right; }}
.gl-log {{ max-height: 26rem; overflow: auto;
  border: 1px solid color-mix(in srgb, currentColor 16%, transparent); border-radius: .6rem; }}
.gl-log table {{ width: 100%; border-collapse: collapse; font-size: .8rem; margin: 0; }}
.gl-log th {{ position: sticky; top: 0; text-align: left; font-weight: 600; padding: .4rem .6rem;
  background: color-mix(in srgb, {GREY} 22%, var(--gl-ground, Canvas)); border: 0; }}
.gl-log td {{ padding: .3rem .6rem; vertical-align: top; border: 0;
  border-top: 1px solid color-mix(in srgb, currentColor 9%, transparent);
  font-variant-numeric: tabular-nums; }}
.gl-log td:nth-child(-n+4) {{ white-space: nowrap; }}
.gl-log code {{ font-size: .72rem; white-space: nowrap; background: none; padding: 0;
  color: inherit; opacity: .7; }}
.gl-switches td {{ font-weight: 600; }}
.gl-switches td:first-child {{ box-shadow: inset 3px 0 {BLUE}; }}
.gl-tone {{ white-space: nowrap; }}
.gl-tone-good {{ color: {GREEN}; }}
.gl-tone-warning {{ color: {ORANGE}; }}
.gl-tone-bad {{ color: {RED}; }}
.gl-offline {{ border: 2px solid {RED}; border-radius: .6rem; padding: .7rem 1rem;
  background: color-mix(in srgb, {RED} 10%, transparent); }}
.gl-offline h2 {{ font-size: 1.1rem; margin: 0 0 .2rem; padding: 0; color: {RED}; }}
.gl-offline p {{ margin: 0; font-size: .9rem; }}
</style>"""
"""A style sheet; every class begins with ``gl-``."""
