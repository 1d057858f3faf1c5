"""Accounting: what control did for a site, reckoned from the events that are kept of it."""
