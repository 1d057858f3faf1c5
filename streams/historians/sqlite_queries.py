"""What the SQLite historian asks and tells its file."""

from typing import Final

from streams.historians.points import Measurement

COUNT: Final = {
    Measurement.SITE_WINDOW: "SELECT count(*) FROM site_window",
    Measurement.METER_WINDOW: "SELECT count(*) FROM meter_window",
    Measurement.EVENT: "SELECT count(*) FROM event",
}

MEASURED: Final = """
    SELECT count(*) FROM meter_window
    WHERE status = 'm'
    AND (:site IS NULL OR site_id = (SELECT id FROM site WHERE name = :site))
    AND series_id IN (SELECT id FROM series WHERE quantity = 'active_power')
"""

SITES: Final = """
    SELECT site, min(window_start_ms), max(window_start_ms), count(*)
    FROM site_window GROUP BY site ORDER BY site
"""

SERIES: Final = """
    SELECT id, device, quantity FROM series
    WHERE site_id = (SELECT id FROM site WHERE name = ?)
    ORDER BY device, quantity
"""

SITE_WINDOWS: Final = """
    SELECT * FROM site_window
    WHERE site = ? AND window_start_ms >= ? AND window_start_ms < ?
    ORDER BY window_start_ms
"""

ALL_METERS: Final = """
    SELECT window_start_ms, series_id, revision, status, value FROM meter_window
    WHERE site_id = (SELECT id FROM site WHERE name = :site)
    AND window_start_ms >= :from_ms AND window_start_ms < :to_ms
    ORDER BY window_start_ms, series_id
"""

# Leaps from window to window and picks the series, however many others the site has; a scan
# of a day of 1,000 series would take a second.
SOME_METERS: Final = """
    WITH RECURSIVE
    this(id) AS (SELECT id FROM site WHERE name = :site),
    windows(start_ms) AS (
        SELECT min(window_start_ms) FROM meter_window
        WHERE site_id = (SELECT id FROM this) AND window_start_ms >= :from_ms
        UNION ALL
        SELECT (
            SELECT min(window_start_ms) FROM meter_window
            WHERE site_id = (SELECT id FROM this) AND window_start_ms > start_ms
        )
        FROM windows WHERE start_ms < :to_ms
    )
    SELECT window_start_ms, series_id, revision, status, meter_window.value
    FROM windows CROSS JOIN json_each(:ids) AS wanted CROSS JOIN meter_window
    ON site_id = (SELECT id FROM this)
    AND window_start_ms = start_ms AND series_id = wanted.value
    WHERE start_ms < :to_ms
    ORDER BY start_ms, series_id
"""

EVENTS: Final = """
    SELECT * FROM event
    WHERE site = ? AND window_start_ms >= ? AND window_start_ms < ?
    AND kind IN (SELECT value FROM json_each(?))
"""

DECISION: Final = "SELECT * FROM event WHERE decision_id = ?"

CONTENT: Final = (
    "SELECT * FROM site_window ORDER BY site, window_start_ms",
    """
    SELECT name, window_start_ms, device, quantity, revision, status, value
    FROM meter_window
    JOIN series ON series.id = series_id
    JOIN site ON site.id = meter_window.site_id
    ORDER BY name, window_start_ms, device, quantity
    """,
    "SELECT * FROM event ORDER BY site, kind, key",
)
"""Everything that is stored, names in place of ids, in an order that writing cannot change."""

# Of two with the same identity the greater revision stays; the first, where they are equal.
PUT_METERS: Final = """
    INSERT INTO meter_window VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (site_id, window_start_ms, series_id) DO UPDATE SET
        revision = excluded.revision, status = excluded.status, value = excluded.value
    WHERE excluded.revision > revision
"""

PUT_SITE: Final = """
    INSERT INTO site_window VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (site, window_start_ms) DO UPDATE SET
        revision = excluded.revision,
        model_hash = excluded.model_hash,
        completeness = excluded.completeness,
        load_kw = excluded.load_kw,
        generation_kw = excluded.generation_kw,
        energy_import_kwh = excluded.energy_import_kwh,
        measured = excluded.measured,
        valid = excluded.valid,
        missing = excluded.missing,
        missing_rated_kw = excluded.missing_rated_kw,
        missing_series = excluded.missing_series,
        relays = excluded.relays,
        weather = excluded.weather
    WHERE excluded.revision > revision
"""

PUT_EVENT: Final = """
    INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (site, kind, key) DO NOTHING
"""

PUT_SITE_NAME: Final = "INSERT INTO site (name) VALUES (?) ON CONFLICT DO NOTHING"

SITE_ID: Final = "SELECT id FROM site WHERE name = ?"

PUT_SERIES: Final = """
    INSERT INTO series (site_id, device, quantity) VALUES (?, ?, ?) ON CONFLICT DO NOTHING
"""
