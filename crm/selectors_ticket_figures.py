"""How after-sales is doing: the stopwatch week by week, who has what, what is complained of."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Q, QuerySet

from common.models import User
from crm.enums import RmaState, TicketState
from crm.models import Rma, Ticket, TicketSymptom
from crm.selectors_tickets import FIVE_MINUTES
from masterdata import selectors as masterdata

WEEKS = 12
MOST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Week:
    """The tickets answered in a week that begins on this Monday."""

    begins: date
    answered: int = 0
    median_minutes: float | None = None
    # Per cent within five minutes.
    within_five: float | None = None

    @property
    def bar(self) -> int:
        """The share in whole per cent, for a bar."""
        return round(self.within_five or 0)


def weeks(*, now: datetime, zone: ZoneInfo) -> list[Week]:
    """The stopwatch of the last weeks with an answer, the newest first, and weeks between them.

    One query.
    """
    monday = now.astimezone(zone).date()
    monday -= timedelta(days=monday.weekday())
    first = monday - timedelta(weeks=WEEKS - 1)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT date_trunc('week', answered_at AT TIME ZONE %(zone)s)::date,
                count(*),
                percentile_cont(0.5) WITHIN GROUP (
                    ORDER BY extract(epoch FROM answered_at - opened_at)::float / 60),
                100.0 * avg((answered_at - opened_at <= make_interval(mins => %(five)s))::int)
            FROM crm_ticket
            WHERE answered_at >= (%(first)s::timestamp AT TIME ZONE %(zone)s)
                AND answered_at <= %(now)s
            GROUP BY 1
            """,
            {"zone": str(zone), "five": FIVE_MINUTES, "first": first, "now": now},
        )
        found = {
            begins: Week(begins, answered, median, float(share))
            for begins, answered, median, share in cursor.fetchall()
        }
    oldest = min(found, default=monday)
    days = (monday - timedelta(weeks=back) for back in range(WEEKS))
    return [found.get(day, Week(day)) for day in days if day >= oldest]


@dataclass(frozen=True, slots=True)
class Share:
    """A symptom or an item, with how many tickets name it, and the share of the largest."""

    label: str
    tickets: int
    bar: int


def complained_of(*, now: datetime, days: int) -> tuple[list[Share], list[Share]]:
    """Symptoms and items of the tickets opened in the last days, most first; four queries."""
    rows = Ticket.objects.filter(opened_at__gt=now - timedelta(days=days), opened_at__lte=now)
    symptoms, items = _counted(rows, "symptom"), _counted(rows, "item")
    names = TicketSymptom.objects.in_bulk(list(symptoms))
    goods = masterdata.items_by_id(list(items))
    return (
        _shares({names[pk].label: count for pk, count in symptoms.items()}),
        _shares({f"{goods[pk].code} {goods[pk].label}": count for pk, count in items.items()}),
    )


def _counted(rows: QuerySet[Ticket], field: str) -> dict[int, int]:
    """How many tickets name each, the most first."""
    named = rows.exclude(**{field: None}).order_by().values_list(field)
    return dict(named.annotate(n=Count("pk")).order_by("-n", field)[:MOST_ROWS])


def _shares(counted: dict[str, int]) -> list[Share]:
    most = max(counted.values(), default=1)
    return [Share(label, count, round(100 * count / most)) for label, count in counted.items()]


@dataclass(frozen=True, slots=True)
class Load:
    """What somebody has to do; without a name, what nobody has taken."""

    name: str
    open: int
    waiting: int
    overdue: int


def loads(*, now: datetime) -> list[Load]:
    """Live tickets by who has them, nobody's above all, then the most open; two queries."""
    late = Q(first_response_at__isnull=True, response_due_at__lt=now) | Q(
        answered_at__isnull=True, answer_due_at__lt=now
    )
    is_open = Q(state=TicketState.OPEN)
    rows = list(
        Ticket.objects.filter(state__in=TicketState.live())
        .order_by()
        .values_list("assigned_to")
        .annotate(
            open=Count("pk", filter=is_open),
            waiting=Count("pk", filter=~is_open),
            overdue=Count("pk", filter=is_open & late),
        )
    )
    people = User.objects.in_bulk([pk for pk, *_counts in rows if pk is not None])
    rows.sort(key=lambda row: (row[0] is not None, -row[1], row[0] or 0))
    return [Load(str(people[pk]) if pk else "", *counts) for pk, *counts in rows]


def returns_to_decide() -> int:
    """Returns that wait for somebody to authorise them."""
    return Rma.objects.filter(state=RmaState.REQUESTED).count()
