"""Who a program is; by itself, since REST framework loads it with its settings."""

from django.utils.translation import gettext as _
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from common import api_tokens
from common.models import ApiToken, User


class HashedTokenAuthentication(TokenAuthentication):
    """``Authorization: Token …`` with a token of ``common.api_tokens``."""

    def authenticate_credentials(self, key: str) -> tuple[User, ApiToken]:
        """The token's user; raise AuthenticationFailed (401)."""
        found = api_tokens.find(key)
        if found is None:
            raise AuthenticationFailed(_("There is no such token."))
        if not found.user.is_active:
            raise AuthenticationFailed(_("This account is deactivated."))
        return found.user, found
