"""What a body names; what is not there answers 400 at its field."""

from django.utils.translation import gettext as _
from rest_framework import serializers

from erp import selectors
from erp.models import Bin


def missing(field: str, code: str) -> serializers.ValidationError:
    """The answer for a code that names nothing."""
    return serializers.ValidationError({field: [_("There is no “%(code)s”.") % {"code": code}]})


def bin_named(field: str, code: str, site_id: int) -> Bin:
    """The one bin of that code; raise ValidationError."""
    found = selectors.bins_named(code, site_id=site_id)
    if len(found) != 1:
        raise missing(field, code)
    return found[0]
