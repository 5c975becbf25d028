"""State tables: every aggregate names its allowed moves once, and nothing else may happen."""

from collections.abc import Mapping
from typing import TypeVar

S = TypeVar("S", bound=str)


class IllegalTransition(Exception):
    """A move that the state table does not know; the message names both states."""


def check(table: Mapping[S, frozenset[S]], *, old: S, new: S) -> None:
    """Raise IllegalTransition unless ``table`` allows the move from ``old`` to ``new``."""
    if new not in table.get(old, frozenset()):
        raise IllegalTransition(f"{old} cannot become {new}.")
