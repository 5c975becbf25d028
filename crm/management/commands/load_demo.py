"""python manage.py load_demo: the demo factory into an empty database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.demo import loading


class Command(BaseCommand):
    help = "Load the demo factory into an empty database; does nothing where it is loaded already."

    def handle(self, *args: Any, **options: Any) -> None:
        if loading.is_demo():
            return
        try:
            loading.load(now=timezone.now())
        except loading.CannotLoad as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write("The demo factory is loaded.")
