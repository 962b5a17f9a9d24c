"""Services and clients of the client tests."""

from __future__ import annotations

import pytest

from tests.client.libraries import LIBRARIES, Face
from tests.client.service import Service


@pytest.fixture
def service():
    made = Service()
    yield made
    made.close()


@pytest.fixture
def other_service():
    made = Service()
    yield made
    made.close()


@pytest.fixture(params=LIBRARIES)
def face(request):
    made = Face(request.param)
    yield made
    made.close()
