"""`gridloom page`: the page for those without Grafana."""

from ipaddress import ip_address
from typing import Annotated

import typer

from schemas.settings import load_settings
from streams.cli.console import say
from streams.page.zones import machine_zone, zone_named


def page(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="what it listens on")] = 8501,
    host: Annotated[str, typer.Option(help="what it listens on; default: this machine only")] = (
        "127.0.0.1"
    ),
    timezone: Annotated[
        str | None,
        typer.Option(
            help="whose times and whose midnight; default: this machine's", metavar="ZONE"
        ),
    ] = None,
    offline_after: Annotated[
        float,
        typer.Option(min=1, metavar="SECONDS", help="no new window for so long: service offline"),
    ] = 15.0,
) -> None:
    """Show load, decisions, relays and savings in a browser, from the historian, until Ctrl-C."""
    from streams.page.serving import PageOptions, serve

    load_settings()  # what is wrong in them is said here, and not to a browser
    zone = zone_named(timezone or machine_zone())
    if not _is_loopback(host):
        say("anyone who reaches this address can read the page: it asks for no password")
    say(f"page: http://{host}:{port} (times of {zone.key}); Ctrl-C stops it")
    serve(host, port, PageOptions(timezone=zone.key, offline_after_s=offline_after))


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(page)
