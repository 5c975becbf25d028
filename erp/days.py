"""Days that people and programs may say in forms and bodies."""

from datetime import date

from django.core.exceptions import ValidationError

from masterdata.services import limits


def check_possible(day: date) -> None:
    """A validator: beyond its limits a day overflows as the end of that day, or in another zone,
    and every plan that reads it fails."""
    try:
        limits.check_day(day)
    except ValueError as error:
        raise ValidationError(str(error)) from None
