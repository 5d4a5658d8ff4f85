"""The running service: devices, ingest, storage, API and the servers it brings along."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("carebell")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.0.0+source"
