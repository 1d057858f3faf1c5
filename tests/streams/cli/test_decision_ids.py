"""Decision ids as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigurationError
from schemas.identity import decision_id
from schemas.windows import WINDOW_MS
from streams.explaining.identity import parse_decision

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)


@given(
    site=NAMES,
    window=st.integers(min_value=0, max_value=50_000_000_000),
    model_hash=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
)
def test_every_decision_id_is_understood(site: str, window: int, model_hash: str) -> None:
    """Also where the site's own name holds dots and digits."""
    identity = decision_id(site, window * WINDOW_MS, model_hash)
    decision = parse_decision(identity)
    assert (decision.id, decision.site) == (identity, site)
    assert decision.window_start_ms == window * WINDOW_MS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "depot",
        "depot.12",
        "depot.12.0123456",
        "depot.12.0123456G",
        "depot.-1.01234567",
        "depot.1.5.0123456789",
        "depot.٣.01234567",
        "depot.99999999999.01234567",
        ".12.01234567",
        "depot.12.01234567\n",
        "de pot.12.01234567",
    ],
)
def test_what_is_no_decision_id_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a decision id") as caught:
        parse_decision(text)
    assert "gridloom explain" in caught.value.hint
