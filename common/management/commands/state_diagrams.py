"""python manage.py state_diagrams: write docs/states/ from the state tables."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from common import state_diagrams


class Command(BaseCommand):
    help = "Write docs/states/ from the state tables."

    def handle(self, *args: Any, **options: Any) -> None:
        folder = settings.BASE_DIR / "docs" / "states"
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in state_diagrams.tables().items():
            (folder / f"{name}.md").write_text(state_diagrams.page(name, table))
            self.stdout.write(f"docs/states/{name}.md")
