"""Entry point of ``gridloom``: finds the command, runs it, turns errors into sentences."""

import typer

from schemas.errors import GridloomError
from streams.cli import (
    bench,
    chaos,
    counterfactual,
    dashboards,
    data,
    dead_letters,
    decisions,
    demo,
    doctor,
    historian,
    page,
    pipeline,
    plan,
    replay,
)
from streams.cli.console import show_error

EXIT_FAILED = 1

app = typer.Typer(
    name="gridloom",
    help="Event-streaming control pipeline for smart grids.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
COMMANDS = (
    demo,
    pipeline,
    replay,
    data,
    dead_letters,
    decisions,
    plan,
    page,
    dashboards,
    historian,
    bench,
    chaos,
    counterfactual,
    doctor,
)
"""Modules with commands, in the order of the help text."""

for module in COMMANDS:
    module.register(app)


def main() -> int:
    """Run the command line; returns the exit status, or leaves with it."""
    try:
        app()
    except GridloomError as error:
        show_error(error)
    return EXIT_FAILED
