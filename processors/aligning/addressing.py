"""From a reading's address to its series and scale: looked up once, remembered ever after."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from processors.aligning.scanning import Address, Scanned, key_of, scan
from processors.aligning.series import SeriesTable
from schemas.units import MICRO, QUANTITIES, TelemetryKind

NOT_KNOWN = -1


class AddressBook:
    """The addresses that were met in one telemetry topic of a partition, each with a code.

    It only ever holds what a site model declares, so no sender can make it grow without bound.

    Args:
        kind: what the topic carries.
        table: the partition's series.
    """

    def __init__(self, kind: TelemetryKind, table: SeriesTable) -> None:
        self._kind = kind
        self._table = table
        self._codes: dict[bytes, int] = {}
        self._series: list[int] = []
        self._scale: list[float] = []
        self._columns: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None

    def scan(self, values: list[bytes]) -> Scanned:
        """The plain readings of addresses that were met before."""
        return scan(values, self._codes)

    def codes(self, addresses: Iterable[Address]) -> NDArray[np.int64]:
        """The code of each address; NOT_KNOWN where it was not met yet."""
        found = (self._codes.get(key_of(each), NOT_KNOWN) for each in addresses)
        return np.fromiter(found, np.int64)

    def learn(self, address: Address) -> None:
        """Give a new address a code, if the table knows such a series.

        And the site's other devices with it, since they most likely send the same quantity in the
        same unit: a site is then known after its first reading.
        """
        if key_of(address) in self._codes:
            return
        site, device, quantity, unit = address
        factor = QUANTITIES[quantity].accepted.get(unit) if quantity in QUANTITIES else None
        if factor is None or self._table.number_of(site, device, quantity, self._kind) is None:
            return
        for other, series in self._table.devices_with(site, quantity, self._kind):
            self._codes[key_of((site, other, quantity, unit))] = len(self._series)
            self._series.append(series)
            self._scale.append(factor * MICRO)
        self._columns = None

    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """By code: the series' number, and the factor to fixed point; last, for NOT_KNOWN."""
        if self._columns is None:
            series = np.array([*self._series, NOT_KNOWN], np.int64)
            self._columns = series, np.array([*self._scale, 0.0], np.float64)
        return self._columns
