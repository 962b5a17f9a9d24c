"""Every row of the requirements that one origin can show, on raw sockets, for each store and worker count."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tests.reference.conformance import ROWS, Origin, rows
from tests.reference.places import place
from tests.reference.serving import in_process, serving


@contextmanager
def started(kind: str, folder):
    if kind == "memory":
        with in_process(compress=True) as (run, _):
            yield Origin(run.origin)
        return
    name, workers = kind.rsplit("-", 1)
    with (
        place(name, folder) as (store, variables),
        serving("--store", store, "--workers", workers, "--compress", **variables) as process,
    ):
        yield Origin(process.origin)


SERVED = [
    "memory",
    "sqlite-1",
    "sqlite-2",
    "redis-2",
    pytest.param("postgresql-2", marks=pytest.mark.full),
    pytest.param("s3-2", marks=pytest.mark.full),
]


@pytest.fixture(scope="module", params=SERVED)
def origin(request, tmp_path_factory):
    with started(request.param, tmp_path_factory.mktemp("serve")) as served:
        yield served


@pytest.mark.parametrize("row", rows(), ids=str)
def test_row(row, origin) -> None:
    row.check(origin)


def test_the_table_covers_what_one_origin_can_show() -> None:
    """Rows of the matrix that are for senders, caches, clients and proxies cannot be shown by one origin.

    Nor can these: 4 (a clock it has), 10 and 13 (it gives no weak tags), 15 (HTTP/1.1 transfer codings do not
    touch tags anywhere), 17 (no trailers), 51 (it does not make use of the permission), 61 (one clock),
    86 (no 428 unless asked for); 93 is in test_webdav.py.
    """
    shown = {number for row in ROWS for number in row.numbers}
    origin_rows = {
        *(1, 2, 3, 6, 7, 8, 9, 11, 12, 14, 16, 18, 19, 20, 21, 22, 23),
        *(26, 27, 29, 30, 31, 33, 34, 35, 36, 38, 39, 40, 41, 42, 43, 44, 46),
        *(47, 48, 49, 50, 53, 54, 55, 56, 58, 59, 60, 62, 64, 65, 66, 68, 69, 70, 71, 72, 74, 75, 77),
        *(78, 79, 80, 81, 82, 83, 84, 85, 88, 90, 91, 92),
    }
    assert origin_rows - shown == set()
