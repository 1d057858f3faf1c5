"""Secures a local broker: TLS, users, and access rules without which nobody may do anything."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.kafka_certificates import BrokerCertificate
from deploy.kafka_settings import SecuredBy
from deploy.kafka_users import ADMIN_USER, BROKER_USER, SECURITY_FOLDER, KafkaUsers
from deploy.ports import HOST
from deploy.secret_files import write_secret
from schemas.settings import SCRAM

_KEY_STORE_USER: Final = "keystore"
_FIRST_USERS: Final = (BROKER_USER, ADMIN_USER)
"""They are there from the beginning; the admin makes all others."""


class KafkaSecurity:
    """The files that secure one broker, below its folder.

    Args:
        folder: the broker's own folder; it exists.
    """

    def __init__(self, folder: Path) -> None:
        self.users = KafkaUsers(folder)
        self._folder = self.users.folder

    def prepare(self, keytool: Callable[[Sequence[str]], None]) -> None:
        """Make certificate and passwords where they are missing.

        Args:
            keytool: runs ``keytool`` with these arguments, to a good end.

        Raises:
            StackError: a file cannot be written.
        """
        # The broker's data hold what passwords are checked against.
        self._folder.parent.chmod(0o700)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for user in (_KEY_STORE_USER, *_FIRST_USERS):
            self.users.password(user)
        password_file = self.users.password_file(_KEY_STORE_USER)
        BrokerCertificate(self._folder, password_file, BROKER_USER, HOST).make(keytool)

    def secured_by(self) -> SecuredBy:
        """What the broker is told; once it is prepared."""
        return SecuredBy(
            super_users=tuple(f"User:{name}" for name in (*_FIRST_USERS, f"CN={BROKER_USER}")),
            user=BROKER_USER,
            password=self.users.password(BROKER_USER),
            key_store=f"{SECURITY_FOLDER}/broker.p12",
            key_store_password=self.users.password(_KEY_STORE_USER),
            authority=f"{SECURITY_FOLDER}/{self.users.ca_file.name}",
        )

    @contextmanager
    def first_users(self) -> Iterator[list[str]]:
        """Arguments that let a formatted folder know its first users.

        They name a file, since everybody on a machine sees the command lines of others.
        """
        path = self._folder / "first-users"
        credentials = (
            f"{SCRAM}=[name={user},password={self.users.password(user)}]" for user in _FIRST_USERS
        )
        write_secret(path, "".join(f"--add-scram\n{each}\n" for each in credentials))
        try:
            yield [f"@{path}"]
        finally:
            path.unlink(missing_ok=True)
