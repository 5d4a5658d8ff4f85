"""What every command of `carebell` does alike."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from hub.errors import HubError


@contextmanager
def told_in_words(code: int = 1) -> Iterator[None]:
    """End with a sentence instead of a traceback where the sentence says all there is."""
    try:
        yield
    except HubError as error:
        typer.echo(f"carebell: {error}", err=True)
        raise typer.Exit(code) from None


def printable(value: object) -> str:
    """What somebody outside wrote, without what would steer the terminal.

    >>> printable("on\\x1b[2J\\noff")
    'on\\\\x1b[2J\\\\noff'
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in str(value)
    )
