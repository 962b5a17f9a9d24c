"""What holds for all tests."""

from __future__ import annotations

import gc

from hypothesis import HealthCheck, settings

# The same examples in every run, so that a run judges the change and not the draw; and no limit of time for
# an example, because other work on the machine would fail it. `make test-full` draws anew (profile `full`).
settings.register_profile(
    "same-examples",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("full", settings.get_profile("same-examples"), derandomize=False)
settings.load_profile("same-examples")


def pytest_collection_finish() -> None:
    # Twenty thousand collected tests, and captures that tests keep, live to the end: walking them all in each
    # collection takes as long as the tests themselves.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
