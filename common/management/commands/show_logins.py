"""`manage.py show_logins` prints the demo factory's accounts, in demo mode only."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from common import selectors


class Command(BaseCommand):
    help = "Print one login per role of the demo factory; nothing outside demo mode."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_MODE:
            self.stdout.write("Not in demo mode: ask an administrator for an account.")
            return
        accounts = selectors.demo_accounts()
        if not accounts:
            self.stdout.write("The demo factory is not loaded yet.")
            return
        width = max(len(account.username) for account in accounts)
        for account in accounts:
            self.stdout.write(f"{account.username:{width}}  {account.password}  {account.role}")
