"""The session's cookie, which only the request that ends a session takes away."""

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware as DjangosSessionMiddleware
from django.http import HttpRequest, HttpResponse


class SessionMiddleware(DjangosSessionMiddleware):
    """Django's, but a late answer does not sign out whoever has signed in meanwhile.

    A page that looks again by itself is still asking with the old cookie when the next badge is
    scanned. Its answer arrives last, and Django lets it delete the cookie: the new one.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Leave the cookie as it is unless this request changed or ended the session."""
        session = getattr(request, "session", None)
        is_ours = session is None or session.modified
        response = super().process_response(request, response)
        if not is_ours:
            response.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        return response
