"""Dispatch: what every relay output of a site should do in the next window, and why."""
