"""What the tests of orders share."""

from typing import Any

import pytest

from tests.crm.factories import Shop


@pytest.fixture
def shop(db: None, settings: Any) -> Shop:
    settings.SOLVE_SECONDS = 0.03
    return Shop()
