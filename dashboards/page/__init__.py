"""The page for those without Grafana: what it shows, built from messages alone.

Nothing here reads a historian or knows Streamlit: :mod:`chart` makes a Plotly figure, :mod:`cards`,
:mod:`lamps` and :mod:`log` make pieces of HTML, :mod:`completeness` counts windows. All of it is
legible on a dark and on a light ground, and without colours.
"""
