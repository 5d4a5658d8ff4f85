"""Certificates: the small authority that the hub draws for its own lines, and `tls self-signed`.

Made with trustme, which is made for tests and fits the two uses here: an authority nobody outside
trusts, whose key never leaves one folder of mode 0700.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import trustme

from hub.embedded.folder import write_private

VALID_DAYS = 825
"""What phones accept at most of an authority that a user installed."""


OWN_NAMES = ("ca", "server")
"""What the files of the authority and of the server are called; no device's may be."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate with its key, and the authority it can be checked against."""

    authority: Path
    certificate: Path
    key: Path


def draw(folder: Path, names: Sequence[str], common_name: str, now: datetime) -> CertificateFiles:
    """A new authority and one certificate by it, for these host names or addresses. Raises OSError,
    and ValueError for what is neither."""
    authority = trustme.CA(organization_name="Carebell", organization_unit_name="self-signed")
    files = CertificateFiles(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _issue(authority, names, common_name, now, files)  # first: nothing is written if it cannot be
    write_private(folder / "ca.key", authority.private_key_pem.bytes())
    write_private(files.authority, authority.cert_pem.bytes())
    return files


def issue_client(folder: Path, name: str, now: datetime) -> CertificateFiles:
    """A client certificate by the authority in `folder`; its common name is the device's id.
    Raises OSError, and ValueError where the authority's files are none."""
    authority = trustme.CA.from_pem(
        (folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes()
    )
    files = CertificateFiles(folder / "ca.pem", folder / f"{name}.pem", folder / f"{name}.key")
    _issue(authority, [name], name, now, files)
    return files


def _issue(
    authority: trustme.CA,
    names: Sequence[str],
    common_name: str,
    now: datetime,
    files: CertificateFiles,
) -> None:
    made = authority.issue_cert(
        *(_identity(name) for name in names),
        common_name=common_name,
        not_after=now + timedelta(days=VALID_DAYS),
    )
    chain = b"".join(part.bytes() for part in made.cert_chain_pems)
    write_private(files.certificate, chain)
    write_private(files.key, made.private_key_pem.bytes())


def _identity(name: str) -> str:
    """As trustme takes it: an address as an address."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name
