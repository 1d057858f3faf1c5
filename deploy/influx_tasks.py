"""Downsampling inside InfluxDB: 5 s to 1 minute to 15 minutes, as Flux.

The same text serves two ways. As a task it follows the wall clock: once per interval, late
enough for the last revision (30 s after a window's end) to have landed, and looking back over
several intervals, in case the store was behind. Over a range of any age it is run by
``deploy.influx_downsampling``.
"""

from pathlib import Path
from typing import Final

from influxdb_client import InfluxDBClient, TaskCreateRequest, TaskUpdateRequest
from msgspec import Struct

from schemas.windows import iso_utc


class Level(Struct, frozen=True):
    """A step of the downsampling, from one bucket into the next.

    ``interval``: of the means. ``source``, ``target``: what follows ``<bucket>`` in their names.
    ``offset``: how long after an interval's end the task runs. ``look_back``: how far before
    that end it computes anew. All durations as Flux writes them.
    """

    interval: str
    source: str
    target: str
    offset: str
    look_back: str

    def task_name(self, bucket: str) -> str:
        """The task's name, unique per bucket."""
        return f"gridloom {bucket} {self.interval}"

    def task_flux(self, bucket: str) -> str:
        """The task; inside one, ``now()`` is the time that a run is scheduled for."""
        when = f"every: {self.interval}, offset: {self.offset}"
        times = (
            f"stop = date.truncate(t: now(), unit: {self.interval})\n"
            f"start = date.sub(d: {self.look_back}, from: stop)"
        )
        option = f'option task = {{name: "{self.task_name(bucket)}", {when}}}'
        return f'import "date"\n\n{option}\n\n{self._flux(bucket, times)}'

    def range_flux(self, bucket: str, from_ms: int, to_ms: int) -> str:
        """The same over ``[from_ms, to_ms)``, which are multiples of the interval."""
        return self._flux(bucket, f"start = {iso_utc(from_ms)}\nstop = {iso_utc(to_ms)}")

    def _flux(self, bucket: str, times: str) -> str:
        buckets = f'source = "{bucket}{self.source}"\ntarget = "{bucket}{self.target}"'
        path = Path(__file__).with_name("flux") / f"downsample_{self.interval}.flux"
        return f"{buckets}\n{times}\n\n{path.read_text(encoding='utf-8')}"


LEVELS: Final = (
    Level("1m", source="", target="_1m", offset="45s", look_back="5m"),
    Level("15m", source="_1m", target="_15m", offset="2m", look_back="1h"),
)
"""The finest first: each reads what the one before wrote."""


def ensure_tasks(client: InfluxDBClient, org_id: str, bucket: str) -> None:
    """Have the server run both levels by itself, with the text that they have today."""
    api = client.tasks_api()
    for level in LEVELS:
        flux = level.task_flux(bucket)
        found = api.find_tasks(name=level.task_name(bucket), org_id=org_id)
        if not found:
            api.create_task(task_create_request=TaskCreateRequest(org_id=org_id, flux=flux))
        elif found[0].flux != flux:
            api.update_task_request(found[0].id, TaskUpdateRequest(flux=flux))
