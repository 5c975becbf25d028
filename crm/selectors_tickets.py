"""What pages and the API read of tickets, returns, reports and alerts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Case, Count, OrderBy, Prefetch, Q, QuerySet, When
from django.db.models.functions import Least

from crm.enums import MessageKind, TicketPriority, TicketState, TraitKind
from crm.models import (
    ReportAccess,
    ReportShare,
    Rma,
    Ticket,
    TicketCluster,
    TicketEvidence,
    TicketMacro,
    TicketMessage,
    TicketPhoto,
    TicketSymptom,
    TicketTarget,
    TicketTrait,
    TraceReport,
)
from masterdata import selectors as masterdata
from traceability import selectors as ledger

# The promise of the stopwatch.
FIVE_MINUTES = 5
STOPWATCH_DAYS = 30
MOST_RELATED = 8


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """From the complaint to the answer, of the tickets answered of late."""

    answered: int
    median_minutes: float | None
    # Per cent within five minutes.
    within_five: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tickets wait for whom."""

    open: int
    waiting: int
    unassigned: int
    overdue: int


def tickets() -> QuerySet[Ticket]:
    """All tickets with what a list shows, the newest first."""
    return Ticket.objects.select_related(
        "customer", "item", "symptom", "assigned_to", "site"
    ).order_by("-opened_at", "-pk")


def live(found: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Of ``tickets()``, those on which something is to be done; what needs an answer comes first.

    Unanswered ones by the clock that runs out next (response, then answer), then by priority; then
    those that are answered and not resolved; last those that wait for the customer.
    """
    turn = Case(
        When(state=TicketState.WAITING, then=2), When(answered_at__isnull=False, then=1), default=0
    )
    due = Case(
        When(answered_at__isnull=False, then=None),
        When(first_response_at__isnull=True, then=Least("response_due_at", "answer_due_at")),
        default="answer_due_at",
    )
    urgency = Case(*(When(priority=each, then=n) for n, each in enumerate(TicketPriority)))
    return found.filter(state__in=TicketState.live()).order_by(
        turn, OrderBy(due, nulls_last=True), urgency, "opened_at", "pk"
    )


def overdue(found: QuerySet[Ticket], *, now: datetime) -> QuerySet[Ticket]:
    """Of the tickets, the open ones whose response or answer is late."""
    late = Q(first_response_at__isnull=True, response_due_at__lt=now) | Q(
        answered_at__isnull=True, answer_due_at__lt=now
    )
    return found.filter(late, state=TicketState.OPEN)


def matching(found: QuerySet[Ticket], text: str) -> QuerySet[Ticket]:
    """Of the tickets, those whose number, subject, serial number or customer has the text."""
    text = text.strip()
    norm = ledger.normalised(text)
    wanted = Q(number__icontains=text) | Q(title__icontains=text) | Q(serial__icontains=text)
    wanted |= Q(customer__code__icontains=text) | Q(customer__name__icontains=text)
    wanted |= Q(customer__name_zh__icontains=text)
    if norm:
        wanted |= Q(number__iexact=f"AS-{norm[2:6]}-{norm[6:]}")
    return found.filter(wanted)


def ticket(number: str) -> Ticket | None:
    """One ticket with its conversation, returns, reports and lists; None where there is none."""
    photos = TicketPhoto.objects.defer("content").order_by("pk")
    said = (
        TicketMessage.objects.select_related("author", "report")
        .defer("report__pdf", "report__content")
        .prefetch_related(Prefetch("photos", queryset=photos), "attempts")
        .order_by("at", "pk")
    )
    evidence = TicketEvidence.objects.select_related("by").defer("snapshot").order_by("-at", "-pk")
    return (
        tickets()
        .prefetch_related(
            Prefetch("messages", queryset=said),
            Prefetch("rmas", queryset=Rma.objects.order_by("-requested_at")),
            Prefetch("reports", queryset=reports()),
            Prefetch("evidence", queryset=evidence),
        )
        .filter(number=number)
        .first()
    )


def reports() -> QuerySet[TraceReport]:
    """Reports without their paper, the newest first."""
    shares = ReportShare.objects.select_related("created_by").order_by("-created_at")
    return (
        TraceReport.objects.defer("pdf", "content")
        .select_related("issued_by")
        .prefetch_related(Prefetch("shares", queryset=shares))
        .order_by("-issued_at", "-pk")
    )


def counts(*, now: datetime) -> Counts:
    """How many tickets wait; one query."""
    late = Q(first_response_at__isnull=True, response_due_at__lt=now) | Q(
        answered_at__isnull=True, answer_due_at__lt=now
    )
    is_open = Q(state=TicketState.OPEN)
    found = Ticket.objects.filter(state__in=TicketState.live()).aggregate(
        open=Count("pk", filter=is_open),
        waiting=Count("pk", filter=Q(state=TicketState.WAITING)),
        unassigned=Count("pk", filter=is_open & Q(assigned_to__isnull=True)),
        overdue=Count("pk", filter=is_open & late),
    )
    return Counts(**found)


def stopwatch(*, now: datetime, days: int = STOPWATCH_DAYS) -> Stopwatch:
    """Median and share within five minutes of the tickets answered in the last days; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*),
                percentile_cont(0.5) WITHIN GROUP (
                    ORDER BY extract(epoch FROM answered_at - opened_at)::float / 60),
                100.0 * avg((answered_at - opened_at <= make_interval(mins => %s))::int)
            FROM crm_ticket WHERE answered_at > %s AND answered_at <= %s
            """,
            [FIVE_MINUTES, now - timedelta(days=days), now],
        )
        answered, median, share = cursor.fetchone() or (0, None, None)
    return Stopwatch(answered, median, None if share is None else float(share))


def related(found: Ticket) -> list[tuple[Ticket, str]]:
    """Other tickets about the same product, lot or machine, nearest first, and why; two queries.

    A lot or machine that more tickets share than are shown tells less than one that few do.
    """
    rows: dict[int, tuple[int, str]] = {}
    if found.thing is not None:
        same = Ticket.objects.filter(thing=found.thing).exclude(pk=found.pk)
        rows |= dict.fromkeys(same.order_by("-pk").values_list("pk", flat=True)[:20], (0, "thing"))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT other.ticket_id, min(CASE other.kind WHEN 'lot' THEN 1 ELSE 2 END)
            FROM crm_tickettrait AS mine
            CROSS JOIN LATERAL (
                SELECT ticket_id, kind FROM crm_tickettrait
                WHERE kind = mine.kind AND ref = mine.ref AND ticket_id <> mine.ticket_id
                ORDER BY id DESC LIMIT 40) AS other
            WHERE mine.ticket_id = %s AND mine.kind IN ('lot', 'work_unit')
            GROUP BY 1 ORDER BY 2, 1 DESC LIMIT 40
            """,
            [found.pk],
        )
        for pk, rank in cursor.fetchall():
            rows.setdefault(pk, (rank, "lot" if rank == 1 else "work_unit"))
    nearest = sorted(rows, key=lambda pk: (rows[pk][0], -pk))[:MOST_RELATED]
    by_pk = tickets().in_bulk(nearest)
    return [(by_pk[pk], rows[pk][1]) for pk in nearest if pk in by_pk]


def about(thing: int) -> QuerySet[Ticket]:
    """Tickets about this very lot or unit, the newest first."""
    return tickets().filter(thing=thing)


def around(thing: int, lots: Collection[int]) -> list[tuple[Ticket, bool]]:
    """Tickets about the lot or unit (true), then others that share a lot; two or three queries.

    ``lots``: those inside it, and itself where it is one.
    """
    own = list(about(thing)[:MOST_RELATED])
    shared = TicketTrait.objects.filter(kind=TraitKind.LOT, ref__in=lots)
    pks = shared.exclude(ticket__thing=thing).order_by("-ticket_id").distinct("ticket_id")
    wanted = list(pks.values_list("ticket_id", flat=True)[:MOST_RELATED])
    by_pk = tickets().in_bulk(wanted)
    return [(row, True) for row in own] + [(by_pk[pk], False) for pk in wanted if pk in by_pk]


@dataclass(frozen=True, slots=True)
class Alert:
    """A cluster with the name of what its tickets share."""

    cluster: TicketCluster
    shared: str


def clusters(*, settled: bool = False) -> QuerySet[TicketCluster]:
    """Alerts with their items; the latest complaint first."""
    rows = TicketCluster.objects.select_related("item", "settled_by")
    return rows.filter(settled_at__isnull=not settled).order_by("-last_at", "-tickets", "pk")


def alerts(rows: Iterable[TicketCluster]) -> list[Alert]:
    """Clusters with names; one query for each kind of trait."""
    rows = list(rows)
    names: dict[tuple[str, int], str] = {}
    for kind, found in (
        (TraitKind.LOT, ledger.lots(_refs(rows, TraitKind.LOT))),
        (TraitKind.WORK_UNIT, masterdata.work_units_by_id(_refs(rows, TraitKind.WORK_UNIT))),
        (TraitKind.SYMPTOM, TicketSymptom.objects.in_bulk(_refs(rows, TraitKind.SYMPTOM))),
    ):
        for pk, row in found.items():
            names[kind, pk] = _name(row)
    return [Alert(row, names.get((row.kind, row.ref), str(row.ref))) for row in rows]


def _refs(rows: Iterable[TicketCluster], kind: TraitKind) -> list[int]:
    return [row.ref for row in rows if row.kind == kind]


def _name(row: object) -> str:
    if hasattr(row, "number"):
        return f"{row.item.code} {row.number}"  # type: ignore[attr-defined]
    return f"{row.code} {row.label}"  # type: ignore[attr-defined]


def in_cluster(cluster: TicketCluster) -> QuerySet[Ticket]:
    """The tickets that a cluster is made of, the newest first."""
    return tickets().filter(
        item=cluster.item_id,
        traits__kind=cluster.kind,
        traits__ref=cluster.ref,
        opened_at__gte=cluster.first_at,
    )


def alerts_of(found: Ticket) -> list[Alert]:
    """Open alerts to which a ticket belongs; two queries and one for each kind."""
    if found.item_id is None:
        return []
    mine = set(found.traits.values_list("kind", "ref"))
    rows = clusters().filter(item=found.item_id)
    return alerts([row for row in rows if (row.kind, row.ref) in mine])


def rmas() -> QuerySet[Rma]:
    """Returns with ticket, customer and item, the newest first."""
    return Rma.objects.select_related("ticket__customer", "ticket__item", "ticket__site").order_by(
        "-requested_at", "-pk"
    )


def symptoms(*, active: bool = True) -> QuerySet[TicketSymptom]:
    """The master list of symptoms."""
    found = TicketSymptom.objects.order_by("code")
    return found.filter(is_active=True) if active else found


def macros(*, active: bool = True) -> QuerySet[TicketMacro]:
    """Texts that are written often."""
    found = TicketMacro.objects.order_by("code")
    return found.filter(is_active=True) if active else found


def targets() -> QuerySet[TicketTarget]:
    return TicketTarget.objects.order_by("priority")


def report_access() -> QuerySet[ReportAccess]:
    """Customers who are told more or less than others."""
    return ReportAccess.objects.select_related("customer").order_by("customer__code")


# What a customer may see.


def tickets_of(customer_id: int) -> QuerySet[Ticket]:
    """A customer's own tickets, the newest first."""
    return tickets().filter(customer_id=customer_id)


def ticket_of(customer_id: int, number: str) -> Ticket | None:
    """One of the customer's tickets without what we write among ourselves; None for another's."""
    photos = TicketPhoto.objects.defer("content").order_by("pk")
    said = (
        TicketMessage.objects.exclude(kind=MessageKind.NOTE)
        .select_related("report")
        .defer("report__pdf", "report__content")
        .prefetch_related(Prefetch("photos", queryset=photos))
        .order_by("at", "pk")
    )
    own = TraceReport.objects.filter(customer=customer_id).defer("pdf", "content")
    return (
        tickets_of(customer_id)
        .prefetch_related(
            Prefetch("messages", queryset=said),
            Prefetch("reports", queryset=own.order_by("-issued_at")),
            Prefetch("rmas", queryset=Rma.objects.order_by("-requested_at")),
        )
        .filter(number=number)
        .first()
    )
