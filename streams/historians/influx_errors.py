"""InfluxDB's errors as ours: what is wrong, what to do, and whether to try again.

==================  ========  ===============================================================
trouble             reason    what becomes of it
==================  ========  ===============================================================
no answer           away      tried again
time-out            slow      tried again
429, 503            busy      tried again, not before ``Retry-After``
other 5xx           failing   tried again
401, 403            denied    tried again: an operator can mend it; at start it is final
404                 unknown   organisation or bucket: likewise
413                           the writer splits the request
400, 422                      the writer finds the points that are meant; of a query final
anything else       strange   tried again; at start it is final
==================  ========  ===============================================================
"""

from email.utils import parsedate_to_datetime
from typing import Any, Final

from influxdb_client.rest import ApiException
from msgspec import Struct
from urllib3.exceptions import (
    HTTPError,
    ProtocolError,
    ReadTimeoutError,
)

from deploy.influx_api import what_influx_says
from schemas.errors import HistorianAwayError, HistorianError
from schemas.settings import InfluxSettings

REFUSED: Final = frozenset({400, 422})
"""A request that makes no sense, and one that does not fit what is stored."""

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_REQUEST_TIMEOUT: Final = 408
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_UNAVAILABLE: Final = 503

LONGEST_RETRY_AFTER_S: Final = 60.0
"""A server that wants to be left alone for longer is asked again by then [s]."""

_RUN_ONE: Final = "Check that it runs and that [influxdb] url is right."
_NOTHING_LOST: Final = "Nothing is lost: Kafka keeps what is not written."


class _Trouble(Struct, frozen=True):
    """What is wrong; ``mendable``: only a person can mend it, so that at start it is final."""

    reason: str
    sentence: str
    hint: str
    mendable: bool = False
    retry_after_s: float | None = None


def explained(
    settings: InfluxSettings, error: ApiException | HTTPError, *, starting: bool = False
) -> HistorianError:
    """What ``error`` means for whoever runs the historian.

    Args:
        settings: which InfluxDB is meant.
        error: what the client raised.
        starting: whether nothing has worked yet, so that a refusal is a wrong setting.
    """
    if isinstance(error, ApiException) and error.status in REFUSED:
        return HistorianError(f"InfluxDB {settings.url} refuses a query: {what_influx_says(error)}")
    if isinstance(error, ApiException):
        trouble = _refusal(settings, error)
    else:
        trouble = _silence(settings, error)
    if trouble.mendable and starting:
        return HistorianError(trouble.sentence, hint=trouble.hint)
    return HistorianAwayError(
        trouble.sentence,
        hint=trouble.hint,
        reason=trouble.reason,
        retry_after_s=trouble.retry_after_s,
    )


def _silence(settings: InfluxSettings, error: HTTPError) -> _Trouble:
    """No answer, or none in HTTP."""
    url = settings.url
    match error:
        case ReadTimeoutError():
            sentence = f"InfluxDB {url} did not answer within {settings.timeout_s:g} s"
            return _Trouble("slow", sentence, _NOTHING_LOST)
        case ProtocolError() if "BadStatusLine" in repr(error):
            sentence = f"what answers at {url} is no InfluxDB"
            return _Trouble("strange", sentence, _RUN_ONE, mendable=True)
        case _:
            return _Trouble("away", f"no InfluxDB answers at {url}", _RUN_ONE)


def _refusal(settings: InfluxSettings, error: ApiException) -> _Trouble:
    """An answer that is a refusal."""
    url, status, said = settings.url, int(error.status or 0), what_influx_says(error)
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        return _Trouble(
            "denied",
            f"InfluxDB {url} does not let us use bucket {settings.bucket}: {said}",
            "Check [influxdb] token and token_file: store needs one that may write and read the"
            " bucket, all others read_token or read_token_file.",
            mendable=True,
        )
    if status == _NOT_FOUND:
        return _Trouble(
            "unknown",
            f"InfluxDB {url} does not know it: {said}",
            "Check [influxdb] org and bucket; `gridloom historian setup` makes what is missing.",
            mendable=True,
        )
    if status in {_TOO_MANY, _UNAVAILABLE}:
        wait_s = _retry_after_s(error)
        return _Trouble("busy", f"InfluxDB {url} is busy: {said}", "", retry_after_s=wait_s)
    if status >= _SERVER_ERROR or status == _REQUEST_TIMEOUT:
        wait_s = _retry_after_s(error)
        sentence = f"InfluxDB {url} fails ({status}): {said}"
        return _Trouble("failing", sentence, "See its log and its disk.", retry_after_s=wait_s)
    sentence = f"InfluxDB {url} answers {status or 'nothing'}: {said}"
    return _Trouble("strange", sentence, _RUN_ONE, mendable=True)


def _retry_after_s(error: ApiException) -> float | None:
    """How long the server wants to be left alone [s], within reason."""
    headers: Any = error.headers or {}
    text = str(headers.get("Retry-After") or "")
    try:
        wait_s = float(text) if text.isdecimal() else _until_s(text, str(headers.get("Date")))
    except (ValueError, TypeError, OverflowError):  # no date, or none that fits the other
        return None
    return max(0.0, min(wait_s, LONGEST_RETRY_AFTER_S))


def _until_s(moment: str, now: str) -> float:
    """Seconds between two HTTP dates; both are the server's, so our clock does not matter."""
    return (parsedate_to_datetime(moment) - parsedate_to_datetime(now)).total_seconds()
