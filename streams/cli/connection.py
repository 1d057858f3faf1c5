"""Which Kafka a command talks to."""

from schemas.settings import Settings, load_settings
from streams.cli.console import say
from streams.finding import running_local_stack


def connected_settings() -> Settings:
    """The settings of a command that needs Kafka.

    A configured ``[kafka] bootstrap_servers`` counts first. Without one, the local stack that
    runs on this machine is meant, with its folder; it is named on stderr. Where there is none,
    the default address stands.

    Raises:
        ConfigurationError: naming every setting that is wrong.
    """
    settings = load_settings()
    if "bootstrap_servers" in settings.kafka.model_fields_set:
        return settings
    stack = running_local_stack(settings)
    if stack is None:
        return settings
    say(f"using the local stack in {stack.folder} ({stack.bootstrap_servers})")
    return stack.settings(settings)
