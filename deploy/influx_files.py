"""Files that a local InfluxDB leaves for other commands; light, since every command looks."""

from typing import Final

ADDRESS_FILE: Final = "influxdb.json"
"""Tells where the running server is, and its organisation and bucket."""

STORE_TOKEN_FILE: Final = "store.token"  # noqa: S105  a file's name
READER_TOKEN_FILE: Final = "reader.token"  # noqa: S105  a file's name
