"""The site that a body means."""

from collections.abc import Collection
from datetime import date

from rest_framework import serializers

from masterdata import selectors as masterdata


def site_meant(code: str, *, item_ids: Collection[int], on: date) -> int:
    """The site named, the only one, or the one that makes the items; raise ValidationError."""
    try:
        return masterdata.site_meant(code, item_ids=item_ids, on=on).pk
    except masterdata.CannotTellSite as refused:
        raise serializers.ValidationError({"site": [str(refused)]}) from refused
