"""What the floor and its machines send; mes measures it, this room has the database for it."""

import json
from io import StringIO

from django.core.management import call_command

from crm.bench.table import Row


def measure(what: str) -> list[Row]:
    """The rows of ``manage.py bench_reporting WHAT``."""
    printed = StringIO()
    call_command("bench_reporting", what, stdout=printed)
    return [Row(*json.loads(line)) for line in printed.getvalue().splitlines() if line]
