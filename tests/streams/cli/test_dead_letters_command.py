"""`gridloom dead-letters`: what it refuses before it asks anybody."""

import pytest

from schemas.errors import ConfigurationError
from streams.cli.dead_letters import retry


def test_a_retry_of_everything_has_to_be_meant() -> None:
    """Thirty days of letters are not sent again by a slip."""
    with pytest.raises(ConfigurationError, match="not said which letters") as caught:
        retry()
    assert "--since" in caught.value.hint
