"""Import of master data from CSV and XLSX; see docs/import.md.

table = read("items.csv", content)
plan = check(RESOURCES["items"], table)      # writes nothing; plan.bad lists each bad row
run(RESOURCES["items"], table, take_good=False, by=user, now=now)
"""

from masterdata.services.imports.engine import (
    CannotImport,
    Outcome,
    Plan,
    check,
    run,
)
from masterdata.services.imports.export import export_csv, export_xlsx, template_rows
from masterdata.services.imports.reading import BadRow, CannotRead, Row, Table, read
from masterdata.services.imports.resources import RESOURCES, Resource

__all__ = [
    "RESOURCES",
    "BadRow",
    "CannotImport",
    "CannotRead",
    "Outcome",
    "Plan",
    "Resource",
    "Row",
    "Table",
    "check",
    "export_csv",
    "export_xlsx",
    "read",
    "run",
    "template_rows",
]
