"""A certificate for a local broker, and an authority of its own that vouches for it.

Made by the JRE's ``keytool``, so that nothing else has to be there. The authority's key is
deleted at once: nobody can make a second certificate that its clients would trust.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_AUTHORITY_NAME: Final = "gridloom.authority"
_DAYS: Final = 3650
"""For as long as the folder is likely to live; `--fresh` makes a new one."""

_KEY: Final = ("-keyalg", "EC", "-groupname", "secp256r1", "-validity", str(_DAYS))


class BrokerCertificate:
    """Key store of the broker, and the certificate of its authority.

    Args:
        folder: where they are; it exists, and only its owner may look into it.
        password_file: holds the password of the key store, of 6 characters at least.
        name: common name [CN] of the broker.
        host: IP address that it listens on.
    """

    def __init__(self, folder: Path, password_file: Path, name: str, host: str) -> None:
        self._folder = folder
        self._password_file = password_file
        self._name = name
        self._host = host
        self.key_store = folder / "broker.p12"
        self.authority = folder / "ca.pem"

    def make(self, keytool: Callable[[Sequence[str]], None]) -> None:
        """Make what is missing, the authority's certificate last.

        Args:
            keytool: runs ``keytool`` with these arguments, to a good end.
        """
        if self.authority.exists():
            return
        scratch = [self._folder / name for name in ("ca.p12", "new-ca.pem", "broker.csr", "chain")]
        for left in (*scratch, self.key_store):
            left.unlink(missing_ok=True)
        store, certificate, request, chain = scratch
        self._make_authority(keytool, store, certificate)
        self._make_key(keytool, request)
        self._sign(keytool, store, request, chain)
        # The reply to the request is followed by who signed it.
        chain.write_bytes(chain.read_bytes() + certificate.read_bytes())
        keytool(["-importcert", "-noprompt", "-trustcacerts", *self._broker(), "-file", str(chain)])
        certificate.rename(self.authority)
        for done in (store, request, chain):
            done.unlink()

    def _make_authority(
        self, keytool: Callable[[Sequence[str]], None], store: Path, certificate: Path
    ) -> None:
        named = self._in_store(store, "authority")
        rights = ("-ext", "bc:c=ca:true,pathlen:0", "-ext", "ku:c=keyCertSign")
        keytool(["-genkeypair", *named, "-dname", f"CN={_AUTHORITY_NAME}", *_KEY, *rights])
        keytool(["-exportcert", "-rfc", *named, "-file", str(certificate)])

    def _make_key(self, keytool: Callable[[Sequence[str]], None], request: Path) -> None:
        keytool(["-genkeypair", *self._broker(), "-dname", f"CN={self._name}", *_KEY])
        keytool(["-certreq", *self._broker(), "-file", str(request)])

    def _sign(
        self, keytool: Callable[[Sequence[str]], None], store: Path, request: Path, reply: Path
    ) -> None:
        named = self._in_store(store, "authority")
        use = ("-ext", "ku:c=digitalSignature", "-ext", "eku=serverAuth,clientAuth")
        names = ("-ext", f"san=ip:{self._host},dns:localhost", "-validity", str(_DAYS))
        files = ("-infile", str(request), "-outfile", str(reply))
        keytool(["-gencert", "-rfc", *named, *use, *names, *files])

    def _broker(self) -> list[str]:
        return self._in_store(self.key_store, "broker")

    def _in_store(self, store: Path, alias: str) -> list[str]:
        """One entry of a key store; its password does not stand on the command line."""
        where = ["-alias", alias, "-keystore", str(store), "-storetype", "PKCS12"]
        return [*where, "-storepass:file", str(self._password_file)]
