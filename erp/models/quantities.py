"""How quantities are kept: four decimal places, in the item's unit."""

from typing import TypedDict


class Places(TypedDict):
    max_digits: int
    decimal_places: int


QUANTITY: Places = {"max_digits": 14, "decimal_places": 4}
