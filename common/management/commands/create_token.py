"""`manage.py create_token USERNAME` makes a token that the API takes for this user."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from common import api_tokens, audit
from common.models import User


class Command(BaseCommand):
    help = "Make an API token for a user and print it. It is kept as a hash: nobody sees it again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--renew", action="store_true", help="The user's other tokens stop working."
        )

    def handle(self, *args: Any, username: str, renew: bool, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.", returncode=2)
        if not user.is_active:
            raise CommandError(f"The user {username!r} is deactivated.", returncode=2)
        now = timezone.now()
        with transaction.atomic():
            if renew:
                api_tokens.revoke(user=user)
            token = api_tokens.create(user=user, now=now)
            audit.record(action="common.user.create_token", target=user, by=None, now=now)
        self.stdout.write(token)
