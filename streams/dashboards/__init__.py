"""Asks every question of every dashboard as Grafana would, and counts the rows."""
