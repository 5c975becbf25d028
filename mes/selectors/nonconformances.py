"""Nonconformances as lists and pages show them, and the part of an 8D that customers read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, Prefetch, Q, QuerySet

from mes.enums import ActionState, Discipline, NonconformanceSource, NonconformanceState
from mes.models import (
    CheckResult,
    ConcernedThing,
    EightD,
    FmeaRow,
    Nonconformance,
    QualityAction,
    Step,
    SupplierRequest,
)

# A page names so many lots and units, and says how many there are.
MOST_THINGS = 60


def nonconformances(
    *, text: str = "", state: str = "", source: str = ""
) -> QuerySet[Nonconformance]:
    """Nonconformances, the newest first, with what is overdue of them counted.

    ``state``: one of the states, or ``open`` for all that are not closed.
    """
    found = Nonconformance.objects.select_related("item", "eight_d").order_by("-opened_at", "-pk")
    if text := text.strip():
        found = found.filter(
            Q(number__icontains=text)
            | Q(item__code__icontains=text)
            | Q(problem__icontains=text)
            | Q(references__contains=[text.upper()])
        )
    if state == "all_open":
        found = found.exclude(state=NonconformanceState.CLOSED)
    elif state in NonconformanceState.values:
        found = found.filter(state=state)
    if source in NonconformanceSource.values:
        found = found.filter(source=source)
    return found


def nonconformance(number: str) -> Nonconformance | None:
    """One with all that its page shows; the 8D too, where there is one."""
    return (
        Nonconformance.objects.select_related("item", "site", "opened_by", "closed_by")
        .prefetch_related(
            "containment__counted_by",
            "containment__verified_by",
            "dispositions__lot",
            "dispositions__regraded_to",
            "dispositions__operation__work_order",
            "dispositions__decided_by",
            "dispositions__concession__requested_by",
            "dispositions__concession__decided_by",
            Prefetch(
                "actions",
                queryset=QualityAction.objects.select_related(
                    "owner", "done_by", "verified_by", "supplier_request__supplier"
                ).prefetch_related("supplier_request__mails__by"),
            ),
            "fmea_rows",
            Prefetch(
                "eight_d",
                queryset=EightD.objects.select_related("leader").prefetch_related(
                    "team__user", "steps__done_by", "whys", "results__by"
                ),
            ),
        )
        .filter(number=number)
        .first()
    )


@dataclass(frozen=True, slots=True)
class Concerned:
    """How much a nonconformance is about, and the first of it."""

    lots: int
    units: int
    work_orders: int
    held: int
    shown: tuple[ConcernedThing, ...]

    @property
    def more(self) -> int:
        return self.lots + self.units + self.work_orders - len(self.shown)


def concerned(found: Nonconformance) -> Concerned:
    """Lots, units and work orders, counted, and the first of them; two queries."""
    rows = ConcernedThing.objects.filter(nonconformance=found)
    counts = rows.aggregate(
        lots=Count("lot"),
        units=Count("unit"),
        work_orders=Count("work_order"),
        held=Count("hold", filter=Q(hold__released_at__isnull=True)),
    )
    shown = rows.select_related("lot__item", "unit__item", "work_order__item", "hold")
    return Concerned(**counts, shown=tuple(shown.order_by("pk")[:MOST_THINGS]))


def nonconformances_of(references: Collection[str]) -> dict[str, Nonconformance]:
    """By reference (a ticket, a work order) the last nonconformance that names it; one query."""
    wanted = set(references)
    rows = Nonconformance.objects.filter(references__overlap=list(wanted)).order_by("pk")
    return {name: row for row in rows for name in row.references if name in wanted}


def still_contained(item_ids: Collection[int]) -> QuerySet[Nonconformance]:
    """Open ones about these items whose containment is not lifted, the newest first."""
    over = (NonconformanceState.VERIFICATION, NonconformanceState.CLOSED)
    return Nonconformance.objects.filter(item__in=item_ids).exclude(state__in=over).order_by("-pk")


@dataclass(frozen=True, slots=True)
class CustomerStep:
    """A step as the customer sees it: what it is called, by when, since when it is done."""

    discipline: Discipline
    due_on: date
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class CustomerPart:
    """What a customer may read of an 8D, and nothing else of it: what was written for them."""

    number: str
    item_code: str
    opened_at: datetime
    closed_at: datetime | None
    problem: str
    containment: str
    cause: str
    actions: str
    steps: tuple[CustomerStep, ...]


def customer_part(reference: str) -> CustomerPart | None:
    """The customer's part of the 8D behind a ticket; None where there is none, or not shared.

    Whoever shows it has made sure that the ticket is this customer's. Two queries.
    """
    found = (
        EightD.objects.filter(
            nonconformance__references__contains=[reference], shared_at__isnull=False
        )
        .select_related("nonconformance__item")
        .prefetch_related("steps")
        .order_by("-pk")
        .first()
    )
    if found is None:
        return None
    row = found.nonconformance
    return CustomerPart(
        number=row.number,
        item_code=row.item.code,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        problem=found.customer_problem,
        containment=found.customer_containment,
        cause=found.customer_cause,
        actions=found.customer_actions,
        steps=tuple(
            CustomerStep(Discipline(step.discipline), step.due_on, step.done_at)
            for step in found.steps.all()
        ),
    )


def check_faults(*, item_id: int, since: datetime, until: datetime) -> tuple[int, int]:
    """Answers to checks of an item's work orders in ``[since, until)``: all, and those at fault.

    What was measured again counts once, as it was first found.
    """
    rows = CheckResult.objects.filter(
        check_row__operation__work_order__item=item_id,
        at__gte=since,
        at__lt=until,
        replaces__isnull=True,
    )
    counts = rows.aggregate(all=Count("pk"), bad=Count("pk", filter=Q(is_good=False)))
    return counts["all"], counts["bad"]


def quality_action(pk: int) -> QualityAction | None:
    """An action with its nonconformance."""
    rows = QualityAction.objects.select_related("nonconformance__item", "owner")
    return rows.filter(pk=pk).first()


def open_actions_of(user_id: int) -> QuerySet[QualityAction]:
    """What a person has to do, the first due first."""
    return (
        QualityAction.objects.filter(owner=user_id, state=ActionState.PLANNED)
        .select_related("nonconformance")
        .order_by("due_on", "pk")
    )


@dataclass(frozen=True, slots=True)
class QualityCounts:
    """Nonconformances that are open, and of theirs the actions and steps whose day is over."""

    open: int
    overdue: int


def quality_counts(*, today: date) -> QualityCounts:
    """What quality has to do; three queries."""
    is_open = ~Q(nonconformance__state=NonconformanceState.CLOSED)
    actions = QualityAction.objects.filter(is_open, state=ActionState.PLANNED, due_on__lt=today)
    steps = Step.objects.filter(done_at__isnull=True, due_on__lt=today).exclude(
        eight_d__nonconformance__state=NonconformanceState.CLOSED
    )
    found = Nonconformance.objects.exclude(state=NonconformanceState.CLOSED)
    return QualityCounts(found.count(), actions.count() + steps.count())


def supplier_request(number: str) -> SupplierRequest | None:
    """A request to a supplier, with what it is about."""
    rows = SupplierRequest.objects.select_related(
        "nonconformance__item", "nonconformance__site", "supplier", "sent_by"
    )
    return rows.filter(number=number).first()


def fmea_rows(*, text: str = "") -> QuerySet[FmeaRow]:
    """Lines of the FMEA, the highest risk first."""
    found = FmeaRow.objects.select_related("item", "nonconformance")
    if text := text.strip():
        found = found.filter(Q(item__code__icontains=text) | Q(failure_mode__icontains=text))
    risk = F("severity") * F("occurrence") * F("detection")
    return found.annotate(priority=risk).order_by("-priority", "item__code", "pk")
