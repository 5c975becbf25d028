"""The state tables are whole, and their diagrams are true."""

import pytest
from django.conf import settings

from common import state_diagrams, transitions

TABLES = state_diagrams.tables()


@pytest.mark.parametrize("name", TABLES)
def test_every_state_is_in_its_table_and_can_be_reached(name: str) -> None:
    table = TABLES[name]
    states = set(type(next(iter(table))))
    assert set(table) == states
    reached = {next(iter(table))}.union(*table.values())
    assert reached == states


@pytest.mark.parametrize("name", TABLES)
def test_the_diagram_in_docs_is_generated_from_the_table(name: str) -> None:
    path = settings.BASE_DIR / "docs" / "states" / f"{name}.md"
    expected = state_diagrams.page(name, TABLES[name])
    assert path.read_text() == expected, "run: python manage.py state_diagrams"


@pytest.mark.parametrize("name", TABLES)
def test_a_move_outside_the_table_is_refused(name: str) -> None:
    table = TABLES[name]
    for old, allowed in table.items():
        for new in table:
            if new in allowed:
                transitions.check(table, old=old, new=new)
            else:
                with pytest.raises(transitions.IllegalTransition):
                    transitions.check(table, old=old, new=new)
