"""The site that planning is asked about over the API."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from masterdata import selectors as masterdata

SITE = OpenApiParameter("site", str, description="The site's code; without it the first site.")


def site_asked(request: Request) -> int:
    """The site that ``?site=`` names; raise ValidationError, NoSite while there is none."""
    code = request.query_params.get("site", "").replace("\x00", "")
    if not code:
        return masterdata.default_site().pk
    for site in masterdata.sites():
        if site.code == code:
            return site.pk
    raise serializers.ValidationError({"site": [_("There is no “%(code)s”.") % {"code": code}]})
