"""Stores of every kind, each on its own real database."""

from __future__ import annotations

import pytest

from tests.server.stores import clusters
from tests.server.stores.opening import KINDS, open_store


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    with clusters.Postgresql(tmp_path_factory.mktemp("pg", numbered=True)) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    with clusters.Redis(tmp_path_factory.mktemp("redis", numbered=True)) as server:
        yield server


@pytest.fixture
def place(request, tmp_path):
    """Give a function from the kind of a store to the place where a fresh one may live."""

    def of(kind: str) -> str:
        if "postgresql" in kind:
            return request.getfixturevalue("postgresql").fresh_database()
        if "redis" in kind:
            return request.getfixturevalue("redis_server").fresh_url()
        return str(tmp_path / "content.sqlite")

    return of


@pytest.fixture(params=KINDS)
def opened(request, place):
    """Give (kind, place, a function that opens the store once more)."""
    kind = request.param
    where = place(kind)
    made = []

    def open_once_more(**arguments):
        made.append(open_store(kind, where, **arguments))
        return made[-1]

    yield kind, where, open_once_more
    for store in made:
        store.close()


@pytest.fixture
def store(opened):
    return opened[2]()
