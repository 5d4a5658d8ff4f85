"""Addresses as Apprise writes them, checked before the hub starts."""

from apprise import Apprise


def understood(text: str) -> tuple[str, ...]:
    """The addresses, separated by white space. Raises ValueError for one Apprise does not know;
    the message has its scheme only, for what follows is a secret."""
    urls = tuple(text.split())
    for url in urls:
        if Apprise.instantiate(url, suppress_exceptions=True) is None:
            scheme = url.partition("://")[0][:32]
            raise ValueError(f"an address Apprise understands; {scheme}://... is none")
    return urls
