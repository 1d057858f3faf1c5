"""Site models from TOML files."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from schemas.errors import ConfigurationError
from schemas.site_model import SiteModel, parse_site_model


def read_site_files(paths: Iterable[Path]) -> list[SiteModel]:
    """The site models in ``paths``.

    Raises:
        ConfigurationError: a file cannot be read or is not a site model.
    """
    return [read_site_file(path) for path in paths]


def read_site_file(path: Path) -> SiteModel:
    """The site model in one TOML file.

    Raises:
        ConfigurationError: it cannot be read, or names every wrong field.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"site file {path} cannot be read: {error}"
        raise ConfigurationError(message) from error
    return parse_site_model(data, str(path))
