"""Tokens of the API: made once, shown once, kept as a hash."""

import hashlib
import secrets
from datetime import datetime

from django.utils.crypto import constant_time_compare

from common.models import ApiToken, User

PREFIX = 8
LONGEST = 200


def create(*, user: User, now: datetime) -> str:
    """Make a token for the user and return it; nobody can read it again."""
    token = secrets.token_urlsafe(32)
    ApiToken.objects.create(user=user, prefix=token[:PREFIX], digest=_digest(token), created_at=now)
    return token


def revoke(*, user: User) -> int:
    """Let the user's tokens work no more; return how many there were."""
    return ApiToken.objects.filter(user=user).delete()[0]


def find(token: str) -> ApiToken | None:
    """The row of a token, with its user; None for one that we did not make."""
    if len(token) > LONGEST:
        return None
    digest = _digest(token)
    rows = ApiToken.objects.select_related("user").filter(prefix=token[:PREFIX])
    return next((row for row in rows if constant_time_compare(row.digest, digest)), None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
