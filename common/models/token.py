"""What programs log in with; only a hash of it is kept."""

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """A token of a user; ``common.api_tokens`` makes and reads them.

    The token itself was shown once, when it was made. A plain SHA-256 is enough: 256 random bits
    cannot be guessed from it, unlike a password.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Its first characters: what it is found by, and told apart by in a list.
    prefix = models.CharField(max_length=8, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.prefix}…"
