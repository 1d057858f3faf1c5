"""Which Kafka a command talks to, and as whom."""

from schemas.roles import READER
from schemas.settings import Settings, load_settings
from streams.cli.console import say
from streams.finding import LocalStack, running_local_stack


def connected_settings(role: str = READER) -> Settings:
    """The settings of a command that needs Kafka.

    A configured ``[kafka] bootstrap_servers`` counts first. Without one, the local stack that
    runs on this machine is meant, with its folder; it is named on stderr. Where there is none,
    the default address stands.

    Args:
        role: who the command is to a local Kafka that has users.

    Raises:
        ConfigurationError: naming every setting that is wrong.
    """
    settings = load_settings()
    stack = chosen_stack(settings)
    if stack is None:
        return settings
    say(f"using the local stack in {stack.folder} ({stack.bootstrap_servers})")
    return stack.settings(settings, role)


def chosen_stack(settings: Settings) -> LocalStack | None:
    """The local stack that is meant, where no Kafka is configured and one runs."""
    configured = "bootstrap_servers" in settings.kafka.model_fields_set
    return None if configured else running_local_stack(settings)
