"""`manage.py create_token USERNAME` prints the token that the API takes for this user."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.authtoken.models import Token

from common.models import User


class Command(BaseCommand):
    help = "Print the API token of a user, making one where there is none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--renew", action="store_true", help="Make a new token; the old one stops working."
        )

    def handle(self, *args: Any, username: str, renew: bool, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.", returncode=2)
        if not user.is_active:
            raise CommandError(f"The user {username!r} is deactivated.", returncode=2)
        if renew:
            Token.objects.filter(user=user).delete()
        token, _created = Token.objects.get_or_create(user=user)
        self.stdout.write(token.key)
