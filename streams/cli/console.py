"""What the commands share on the terminal: the console, and how an error looks."""

from rich.console import Console

from schemas.errors import GridloomError

out = Console(highlight=False)
"""Where results go."""

err = Console(stderr=True, highlight=False)
"""Where notices and errors go."""


def say(text: str) -> None:
    """A notice for whoever watches."""
    err.print(text, style="dim")


def show_error(error: GridloomError) -> None:
    """An error as a sentence, its details, and what can be done."""
    err.print(f"error: {error.message}", style="bold red", markup=False)
    for problem in error.problems:
        err.print(f"  - {problem}", markup=False)
    if error.hint:
        err.print(f"hint: {error.hint}", style="yellow", markup=False)
