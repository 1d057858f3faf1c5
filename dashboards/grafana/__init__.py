"""The Grafana operations view as code: dashboards, alert rules and the files to provision them.

Nothing here talks to a server. Times, buckets and the site come from Grafana, which replaces
``v.timeRangeStart``, ``v.timeRangeStop``, ``v.windowPeriod``, ``v.defaultBucket`` and
``${site}`` in a query's text before it asks InfluxDB.
"""
