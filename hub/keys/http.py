"""The page and the API."""

from pydantic import BaseModel

from hub.keys.key import Address, ListenAddress, setting


class HttpKeys(BaseModel):
    """The page and the API."""

    http_listen: ListenAddress = setting(
        Address("127.0.0.1", 8080),
        "Where the page and the API listen.",
        source="this machine only, until somebody decides otherwise",
    )
    http_tls_certificate: str = setting(
        "",
        "The certificate of page and API with its chain, a PEM file. Empty: plain HTTP, for this "
        "machine or behind a proxy.",
        source="see docs/how-to/tls.md",
    )
    http_tls_key: str = setting(
        "", "The key of that certificate, a PEM file.", source="see docs/how-to/tls.md"
    )
