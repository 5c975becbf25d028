"""Import of master data from CSV and XLSX; see docs/import.md.

table = read("items.csv", content)
plan = check(RESOURCES["items"], table)      # writes nothing; plan.bad lists each bad row
run(RESOURCES["items"], table, take_good=False, by=user, now=now)
"""

from masterdata.services.imports.engine import (
    CannotImport,
    Change,
    Outcome,
    Plan,
    Prepared,
    check,
    prepare,
    run,
)
from masterdata.services.imports.export import (
    export_csv,
    export_xlsx,
    faults_csv,
    template_rows,
)
from masterdata.services.imports.reading import BadRow, Row, Table, read
from masterdata.services.imports.resources import RESOURCES, Resource
from masterdata.services.imports.xlsx import CannotRead

__all__ = [
    "RESOURCES",
    "BadRow",
    "CannotImport",
    "CannotRead",
    "Change",
    "Outcome",
    "Plan",
    "Prepared",
    "Resource",
    "Row",
    "Table",
    "check",
    "export_csv",
    "export_xlsx",
    "faults_csv",
    "prepare",
    "read",
    "run",
    "template_rows",
]
