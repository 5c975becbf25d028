"""When something happened that a device tells of later: it was without network meanwhile."""

from collections.abc import Mapping
from datetime import datetime, timedelta

AGE_HEADER = "X-Age-Seconds"
MOST_AGE = timedelta(days=1)


def happened_at(headers: Mapping[str, str], *, now: datetime) -> datetime:
    """Now, or as many seconds ago as the request's headers say, a day at most.

    An age and no clock time: tablets' clocks are wrong, their seconds are not.
    """
    said = headers.get(AGE_HEADER, "0")
    age = timedelta(seconds=int(said)) if said.isdecimal() and len(said) < 9 else timedelta()
    return now - min(age, MOST_AGE)
