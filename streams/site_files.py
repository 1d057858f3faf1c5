"""Site models from TOML files."""

from collections.abc import Iterable
from pathlib import Path

from schemas.site_model import SiteModel, parse_site_model
from schemas.toml_files import read_toml


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
    return parse_site_model(read_toml(path, "site file"), str(path))
