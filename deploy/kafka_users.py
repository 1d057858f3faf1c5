"""Users of a local Kafka: a password each, in a file that only its owner may read."""

from pathlib import Path
from typing import Final

from deploy.secret_files import secret_in
from schemas.settings import KafkaSettings

BROKER_USER: Final = "gridloom.broker"
"""Who the broker is to itself."""

ADMIN_USER: Final = "gridloom.admin"
"""Who may do everything."""

SECURITY_FOLDER: Final = "security"
"""Below the broker's folder: certificates and passwords. It is there, or all is plain text."""


class KafkaUsers:
    """Passwords of users, and the certificate that vouches for the broker.

    Args:
        folder: the broker's own folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / SECURITY_FOLDER

    @property
    def ca_file(self) -> Path:
        """Certificate, in PEM, by which clients know the broker."""
        return self.folder / "ca.pem"

    def password_file(self, user: str) -> Path:
        """File that holds, or will hold, a user's password."""
        return self.folder / f"{user}.password"

    def password(self, user: str) -> str:
        """A user's password; it is made at its first use.

        Raises:
            StackError: its file cannot be written.
        """
        return secret_in(self.password_file(user))

    def as_user(self, settings: KafkaSettings, user: str) -> KafkaSettings:
        """The settings of a client that is this user."""
        return settings.model_copy(
            update={
                "security_protocol": "sasl_ssl",
                "ca_file": self.ca_file,
                "username": user,
                "password": None,
                "password_file": self.password_file(user),
            }
        )
