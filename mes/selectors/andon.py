"""Alarms, incidents and machines that stand, for pages here and for the rooms above."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from mes.enums import AndonState
from mes.models import AndonCall, Downtime, DowntimeReason, Incident, IncidentEntry

__all__ = [
    "CustomerReason",
    "Incident",
    "active_reasons",
    "customer_words",
    "incident_by_number",
    "incidents",
    "last_incident_entry",
    "open_calls",
    "reason_behind",
    "standing_because_of",
]


@dataclass(frozen=True)
class CustomerReason:
    """Why a machine stood, in words that a customer may read, by language."""

    incident_id: int
    incident_number: str
    text: str
    text_zh: str


def open_calls() -> QuerySet[AndonCall]:
    """Calls that wait or are worked on, those without an answer first, then the oldest."""
    return (
        AndonCall.objects.filter(state__in=AndonState.open())
        .select_related(
            "incident",
            "work_unit__work_center",
            "operation__work_order__item",
            "raised_by",
            "acknowledged_by",
        )
        .prefetch_related(
            Prefetch(
                "incident__downtimes",
                queryset=Downtime.objects.filter(ends_at__isnull=True).select_related("reason"),
                to_attr="standing",
            )
        )
        # "raised" after "acknowledged" in the alphabet.
        .order_by("-state", "raised_at", "pk")
    )


def last_incident_entry(*, site_id: int) -> int:
    """The key of the newest line of an incident of the site, 0 before the first; one query."""
    lines = IncidentEntry.objects.filter(incident__site_id=site_id).order_by("-pk")
    return lines.values_list("pk", flat=True).first() or 0


def incidents() -> QuerySet[Incident]:
    """Incidents, those that are open first, then the newest."""
    return (
        Incident.objects.select_related("work_unit", "site")
        .prefetch_related(
            Prefetch("downtimes", queryset=Downtime.objects.select_related("reason")),
        )
        # "open" after "closed" in the alphabet.
        .order_by("-state", "-opened_at", "-pk")
    )


def incident_by_number(number: str) -> Incident | None:
    """One incident with its calls, downtimes and story; None where there is none. Four queries."""
    return (
        Incident.objects.select_related("work_unit__work_center", "site")
        .prefetch_related(
            "calls__raised_by",
            Prefetch("downtimes", queryset=Downtime.objects.select_related("reason")),
            Prefetch("entries", queryset=IncidentEntry.objects.select_related("by")),
        )
        .filter(number=number)
        .first()
    )


def reason_behind(
    *, site_id: int, after: datetime | None, until: datetime
) -> CustomerReason | None:
    """The incident that last changed what the schedule may count on within ``(after, until]``.

    None where there was none, or where nobody has said why in words for customers.
    """
    rows = Incident.objects.filter(site_id=site_id, capacity_changed_at__lte=until)
    if after is not None:
        rows = rows.filter(capacity_changed_at__gt=after)
    found = rows.order_by("-capacity_changed_at", "-pk").first()
    if found is None:
        return None
    downtime = (
        Downtime.objects.filter(incident=found)
        .select_related("reason__parent")
        .order_by("-starts_at")
        .first()
    )
    text, text_zh = customer_words(downtime.reason if downtime else None)
    return CustomerReason(found.pk, found.number, text, text_zh)


def standing_because_of(work_unit_id: int) -> str:
    """The number of the incident because of which the unit is down now, "" where it is not."""
    rows = Downtime.objects.filter(work_unit=work_unit_id, ends_at__isnull=True)
    return rows.values_list("incident__number", flat=True).first() or ""


def customer_words(reason: DowntimeReason | None) -> tuple[str, str]:
    """What a customer may read of a reason, English and Chinese; empty where nothing is said."""
    for row in (reason, reason.parent if reason else None):
        if row is not None and row.customer_text:
            return row.customer_text, row.customer_text_zh or row.customer_text
    return "", ""


def active_reasons() -> Sequence[DowntimeReason]:
    """The reasons to choose from, each below the one it belongs to; one query."""
    return list(DowntimeReason.objects.filter(is_active=True).order_by("pk"))
