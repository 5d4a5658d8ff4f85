"""What every command of `carebell` does alike."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from hub.errors import HubError


@contextmanager
def told_in_words() -> Iterator[None]:
    """End with a sentence instead of a traceback where the sentence says all there is."""
    try:
        yield
    except HubError as error:
        typer.echo(f"carebell: {error}", err=True)
        raise typer.Exit(1) from None
