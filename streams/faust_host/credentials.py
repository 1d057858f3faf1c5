"""Who the device view is to Kafka, in Faust's words."""

import ssl

import faust
from faust.types.auth import CredentialsT

from schemas.settings import SCRAM, KafkaSettings


def credentials(settings: KafkaSettings) -> CredentialsT | None:
    """TLS and user for Faust's clients; None in plain text.

    Raises:
        ConfigurationError: the password's file cannot be read.
        OSError: the file of certificates cannot be read.
    """
    if settings.security_protocol == "plaintext":
        return None
    trusted = None if settings.ca_file is None else settings.ca_file.expanduser()
    context = ssl.create_default_context(cafile=trusted)
    if settings.security_protocol == "ssl":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=settings.username,
        password=settings.password_secret(),
        ssl_context=context,
        mechanism=SCRAM,
    )
