"""Why an order line is late, in sentences: the binding constraint, the chain, what would help."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from aps.selectors import Bar
from aps.services.lateness_types import Explanation, Help, HelpKind, Step, StepKind
from aps.views import words

MOST_NAMED = 3
# The end of work is the beginning of the next thing; a minute is no wait to speak of.
TONES = {
    StepKind.WORK: "running",
    StepKind.OUTSIDE: "running",
    StepKind.MACHINE: "late",
    StepKind.CHANGEOVER: "risk",
    StepKind.PEOPLE: "hold",
    StepKind.TOOL: "late",
    StepKind.SHIFT: "hold",
    StepKind.MATERIAL: "risk",
    StepKind.REST: "hold",
    StepKind.CHOICE: "planned",
}


@dataclass(frozen=True, slots=True)
class SaidStep:
    """A stretch of the chain as its row says it."""

    kind: str
    word: str
    tone: str
    text: str
    starts_at: datetime
    ends_at: datetime
    duration: str
    operation_id: int
    # The stretch in which the due moment passes.
    holds_due: bool


@dataclass(frozen=True, slots=True)
class SaidHelp:
    """What would help, and the step of a draft that tries it ("" where the board cannot)."""

    text: str
    change: str


@dataclass(frozen=True, slots=True)
class Said:
    """An explanation in words; ``steps`` from the end back to now."""

    reference: str
    binding: str
    steps: tuple[SaidStep, ...]
    helps: tuple[SaidHelp, ...]


def say(explanation: Explanation) -> Said:
    """The explanation in the reader's language."""
    line, binding = explanation.line, explanation.binding
    return Said(
        reference=line.reference,
        binding=_binding(binding) if binding is not None else words.why(line),
        steps=tuple(_step(step, line.due_at) for step in explanation.steps),
        helps=tuple(SaidHelp(_help(one), _change(one)) for one in explanation.helps),
    )


def moment(at: datetime) -> str:
    """A moment at the site: "Tue 14 Oct 16:00"."""
    return date_format(timezone.localtime(at), pgettext("format of a moment", "D j M H:i"))


def _day(at: datetime) -> str:
    return date_format(timezone.localtime(at), pgettext("format of a day", "D j M Y"))


def _operation(bar: Bar) -> str:
    chinese = (get_language() or "").startswith("zh")
    name = bar.name_zh if chinese and bar.name_zh else bar.name
    return f"{bar.item_code} {bar.sequence} {name}".strip()


def _named(names: Sequence[str]) -> str:
    """The last ones on the machine, which hold it longest."""
    shown = ", ".join(names[-MOST_NAMED:])
    more = len(names) - MOST_NAMED
    return (
        _("%(names)s and %(count)s more") % {"names": shown, "count": more} if more > 0 else shown
    )


def _facts(step: Step) -> dict[str, str]:
    return {
        "operation": _operation(step.bar),
        "unit": step.unit_code or _("the subcontractor"),
        "orders": _named(step.others),
        "moment": moment(step.ends_at),
        "duration": words.duration(step.minutes),
        "item": step.material_code,
        "document": step.reference,
        "needed": step.needed,
    }


def _binding(step: Step) -> str:
    texts = {
        StepKind.MACHINE: _(
            "%(unit)s is busy with %(orders)s until %(moment)s; %(operation)s waits for it "
            "%(duration)s."
        ),
        StepKind.CHANGEOVER: _("%(unit)s is changed over for %(operation)s until %(moment)s."),
        StepKind.PEOPLE: _(
            "Those with the skill %(needed)s work for %(orders)s until %(moment)s; %(operation)s "
            "waits for them %(duration)s."
        )
        if step.others
        else _(
            "No shift has enough people with the skill %(needed)s for %(operation)s until "
            "%(moment)s."
        ),
        StepKind.TOOL: _(
            "Tool %(needed)s is in use for %(orders)s until %(moment)s; %(operation)s waits for it "
            "%(duration)s."
        )
        if step.others
        else _("Tool %(needed)s is not there for %(operation)s until %(moment)s."),
        StepKind.SHIFT: _("%(unit)s has no shift for %(operation)s until %(moment)s."),
        StepKind.MATERIAL: _("%(operation)s waits for %(item)s until %(moment)s (%(document)s).")
        if step.reference
        else _(
            "%(operation)s waits for %(item)s, which is not on order: by its lead time it comes "
            "on %(moment)s."
        ),
        StepKind.REST: _(
            "%(operation)s waits %(duration)s, until %(moment)s: its pieces cool or dry after the "
            "operation before it."
        ),
        StepKind.CHOICE: _(
            "The plan begins %(operation)s only on %(moment)s, though %(unit)s is free before: "
            "plan again, or move it."
        ),
        StepKind.WORK: _(
            "Nothing waits: the work itself takes too long; %(operation)s on %(unit)s alone takes "
            "%(duration)s."
        ),
        StepKind.OUTSIDE: _("The subcontractor needs %(duration)s for %(operation)s."),
    }
    return texts[step.kind] % _facts(step)


def _step(step: Step, due_at: datetime) -> SaidStep:
    texts = {
        StepKind.WORK: _("%(operation)s on %(unit)s"),
        StepKind.OUTSIDE: _("%(operation)s at the subcontractor"),
        StepKind.MACHINE: _("%(unit)s is busy with %(orders)s"),
        StepKind.CHANGEOVER: _("%(unit)s is changed over"),
        StepKind.PEOPLE: _("those with the skill %(needed)s work for %(orders)s")
        if step.others
        else _("no shift has enough people with the skill %(needed)s"),
        StepKind.TOOL: _("tool %(needed)s is in use for %(orders)s")
        if step.others
        else _("tool %(needed)s is not there"),
        StepKind.SHIFT: _("%(unit)s has no shift for it"),
        StepKind.MATERIAL: _("waits for %(item)s from %(document)s")
        if step.reference
        else _("waits for %(item)s, not on order"),
        StepKind.REST: _("the pieces cool or dry before %(operation)s"),
        StepKind.CHOICE: _("%(unit)s is free; the plan begins later"),
    }
    kinds = {
        StepKind.WORK: _("Work"),
        StepKind.OUTSIDE: _("Outside work"),
        StepKind.MACHINE: _("Machine busy"),
        StepKind.CHANGEOVER: _("Changeover"),
        StepKind.PEOPLE: _("People"),
        StepKind.TOOL: _("Tool"),
        StepKind.SHIFT: _("No shift"),
        StepKind.MATERIAL: _("Material"),
        StepKind.REST: _("Wait"),
        StepKind.CHOICE: pgettext("work unit", "Free"),
    }
    return SaidStep(
        kind=str(step.kind),
        word=kinds[step.kind],
        tone=TONES[step.kind],
        text=texts[step.kind] % _facts(step),
        starts_at=step.starts_at,
        ends_at=step.ends_at,
        duration=words.duration(step.minutes),
        operation_id=step.bar.operation_id,
        holds_due=step.starts_at <= due_at < step.ends_at,
    )


def _help(one: Help) -> str:
    facts = {
        "unit": one.unit_code,
        "operation": _operation(one.bar) if one.bar is not None else "",
        "item": one.material_code,
        "document": one.reference,
        "duration": words.duration(one.minutes),
        "day": _day(one.starts_at) if one.starts_at is not None else "",
        "start": moment(one.starts_at) if one.starts_at is not None else "",
        "end": moment(one.ends_at) if one.ends_at is not None else "",
    }
    texts = {
        HelpKind.OVERTIME: _(
            "Overtime on %(unit)s on %(day)s: it is closed from %(start)s to %(end)s."
        ),
        HelpKind.MACHINE: _(
            "%(operation)s on %(unit)s: there it would be done on %(end)s, %(duration)s sooner."
        ),
        HelpKind.EXPEDITE: _("Expedite %(item)s (%(document)s): up to %(duration)s sooner.")
        if one.reference
        else _("Order %(item)s now and expedite it: up to %(duration)s sooner."),
        HelpKind.SUPPLIER: _("Ask the subcontractor of %(operation)s for less than %(duration)s."),
    }
    return texts[one.kind] % facts


def _change(one: Help) -> str:
    """The step as the draft reads it, in JSON."""
    if one.starts_at is None or one.ends_at is None or one.bar is None:
        return ""
    change: dict[str, object] = {
        "kind": "overtime" if one.kind == HelpKind.OVERTIME else "move",
        "work_unit": one.unit_code,
        "starts_at": one.starts_at.isoformat(),
    }
    if one.kind == HelpKind.OVERTIME:
        change["ends_at"] = one.ends_at.isoformat()
    else:
        change["operation"] = one.bar.operation_id
    return json.dumps(change)
