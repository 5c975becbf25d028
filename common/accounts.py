"""How people get in: administrators make accounts, nobody signs up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Refuse self-made accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
