"""What is measured has one row per code, made when it is first measured."""

from collections.abc import Iterable
from dataclasses import dataclass

from traceability.models import Parameter


@dataclass(frozen=True, slots=True)
class NewParameter:
    """A parameter as who measures it names it."""

    code: str
    name: str
    name_zh: str = ""
    unit: str = ""


def put(parameters: Iterable[NewParameter]) -> dict[str, int]:
    """The ids of the parameters by code; the new ones are made. Two statements at most."""
    wanted = {one.code[:60]: one for one in parameters}
    known = _ids(wanted)
    new = [code for code in wanted if code not in known]
    if not new:
        return known
    Parameter.objects.bulk_create(
        [
            Parameter(
                code=code,
                name=wanted[code].name,
                name_zh=wanted[code].name_zh,
                unit=wanted[code].unit,
            )
            for code in sorted(new)
        ],
        ignore_conflicts=True,
    )
    return known | _ids(new)


def _ids(codes: Iterable[str]) -> dict[str, int]:
    rows = Parameter.objects.filter(code__in=list(codes))
    return dict(rows.values_list("code", "pk"))
