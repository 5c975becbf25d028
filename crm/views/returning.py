"""Back to the list for who acted there."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def next_or(request: HttpRequest, url: str) -> str:
    """The page of ours that the form names as ``next``, else ``url``."""
    asked = request.POST.get("next", "")
    hosts = {request.get_host()}
    if asked and url_has_allowed_host_and_scheme(asked, hosts, require_https=request.is_secure()):
        return asked
    return url
