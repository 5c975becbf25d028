"""What a body names; what is not there answers 400 at its field."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from common.api import StrictSerializer
from erp import selectors
from erp.models import Bin
from masterdata import selectors as masterdata

# What a GET may say.
SITE = OpenApiParameter("site", str, description="The site's code; without it the first site.")


def missing(field: str, code: str) -> serializers.ValidationError:
    """The answer for a code that names nothing."""
    return serializers.ValidationError({field: [_("There is no “%(code)s”.") % {"code": code}]})


def bin_named(field: str, code: str, site_id: int) -> Bin:
    """The one bin of that code; raise ValidationError."""
    found = selectors.bins_named(code, site_id=site_id)
    if len(found) != 1:
        raise missing(field, code)
    return found[0]


class SiteIn(StrictSerializer):
    """The site that is meant by its code; without one the first site."""

    site = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


def site_named(code: str) -> int:
    """The site of that code, the first one where it is empty; raise ValidationError."""
    if not code:
        return masterdata.default_site().pk
    for site in masterdata.sites():
        if site.code == code:
            return site.pk
    raise missing("site", code)


def site_asked(request: Request) -> int:
    """The site that ``?site=`` of a GET names; raise ValidationError."""
    return site_named(request.query_params.get("site", "").replace("\x00", ""))


def site_of_body(data: Any) -> int:
    """The site that a body names which says nothing else; raise ValidationError."""
    asked = SiteIn(data=data)
    asked.is_valid(raise_exception=True)
    return site_named(asked.validated_data["site"])
