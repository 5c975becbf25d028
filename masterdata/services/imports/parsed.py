"""A row whose cells have become values."""

from dataclasses import dataclass, field
from typing import Any

from masterdata.services.imports.reading import Row


@dataclass(slots=True)
class Parsed:
    """Values by attribute; references are ids once they are resolved."""

    row: Row
    values: dict[str, Any]
    # The values of the parent that the row names, by attribute, and what names it.
    parent: dict[str, Any] = field(default_factory=dict)
    parent_key: tuple[Any, ...] = ()
    # The primary keys of what is already there.
    parent_pk: int | None = None
    pk: int | None = None
