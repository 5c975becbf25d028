"""The site's zone is asked for outside of views: a database that goes away there is no defect."""

import pytest
from django.db import OperationalError

from masterdata import selectors


@pytest.mark.parametrize("path", ["/", "/api/v1/sales-orders/"])
def test_a_database_lost_while_the_zone_is_asked_for_is_told_as_such(client_for, monkeypatch, path):
    client = client_for("sales")

    def lost():
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(selectors, "default_zone", lost)
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
