"""What goes wrong with a Grafana, as sentences with a hint."""

from http import HTTPStatus
from typing import Final

from schemas.errors import GridloomError


class GrafanaError(GridloomError):
    """Grafana cannot be reached, or does not take what it is given."""


_HINTS: Final[dict[int, str]] = {
    HTTPStatus.BAD_REQUEST: "a dashboard that is provisioned from files cannot be published, too",
    HTTPStatus.UNAUTHORIZED: "the token is wrong, expired or revoked: make a new one under"
    " Administration, Service accounts",
    HTTPStatus.FORBIDDEN: "the token's service account needs the role Editor",
    HTTPStatus.NOT_FOUND: "is the path of the address right?",
    HTTPStatus.CONFLICT: "something else of that name or uid is there: remove or rename it",
    HTTPStatus.PRECONDITION_FAILED: "somebody changed it meanwhile, or it exists already:"
    " publish with overwriting to replace it",
    HTTPStatus.TOO_MANY_REQUESTS: "try again in a minute",
}
_SERVER_HINT: Final = "its own log says why; try again later"
_CAUSES: Final = ("connection refused", "name or service not known", "timed out", "certificate")


def refusal(url: str, doing: str, status: int, response: object) -> GrafanaError:
    """What an HTTP status that is no success means.

    Args:
        url: of the Grafana.
        doing: what was asked for, as in "while publishing".
        status: the HTTP status.
        response: the answer's JSON; Grafana says ``message`` and, of conflicts, ``status``.
    """
    said = response if isinstance(response, dict) else {}
    words = ": ".join(str(said[key]) for key in ("message", "status") if said.get(key))
    reason = f" ({words:.200})" if words else ""
    server_failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    hint = _SERVER_HINT if server_failed else _HINTS.get(status, "")
    return GrafanaError(f"Grafana at {url} answered {status} while {doing}{reason}", hint=hint)


def not_grafana(url: str, doing: str) -> GrafanaError:
    """Something answers, but not as Grafana does."""
    return GrafanaError(
        f"what answers at {url} while {doing} is not a Grafana",
        hint="is the address right, and is there a proxy or a login page before it?",
    )


def away(url: str, error: OSError) -> GrafanaError:
    """Nothing answers; the cause is put in a word where it is a common one."""
    text = str(error)
    known = (cause for cause in _CAUSES if cause in text.lower())
    return GrafanaError(
        f"Grafana at {url} cannot be reached: {next(known, f'{text:.200}')}",
        hint="is the address right, and does it run?",
    )
