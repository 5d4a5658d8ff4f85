"""One real PostgreSQL for the whole run; every test that wants one gets a database of its own."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from tests.integration.desk_database import DatabaseServer, running_database
from tests.scratch import use_memory

use_memory()

# Speed is measured in benchmarks; a busy machine fails no test here.
settings.register_profile("carebell", deadline=None)
settings.register_profile("long", deadline=None)
settings.load_profile("carebell")

LONG_RUN = 40
"""How many times as many examples `--hypothesis-profile=long` tries."""


def long_run(examples: int) -> int:
    """So many examples in the suite, far more where somebody asked for it."""
    return examples * (LONG_RUN if settings.get_current_profile_name() == "long" else 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole hubs first: they mostly wait, and the last file of a run is waited for alone."""
    whole = {item.path for item in items if item.get_closest_marker("e2e")}
    items.sort(key=lambda item: item.path not in whole)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[DatabaseServer]:
    """A running server with a migrated template."""
    with running_database() as server:
        yield server


@pytest.fixture
def database_url(postgres_server: DatabaseServer) -> Iterator[str]:
    """The address of a new database with this release's schema and nothing else."""
    url = postgres_server.fresh()
    yield url
    name = sql.Identifier(urlsplit(url).path.removeprefix("/"))
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
