"""The page for those without Grafana: reads a historian and shows it in a browser.

:mod:`opening` finds the historian, :mod:`feed` reads it, :mod:`books` keeps the day's figures,
:mod:`progress` judges whether windows arrive, :mod:`app` draws with Streamlit what
``dashboards.page`` builds, :mod:`serving` hosts it.
"""
