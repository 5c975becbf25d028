"""Alerts: several tickets about one item that share a lot, a machine or a symptom.

A lot that is in nearly every unit of an item is shared by all complaints about it and tells
nothing: where the complaints name serial units, a lot or machine counts only if failed units have
it more often than the units numbered around them (``traceability.selectors.shared_by``).
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Min
from django.urls import reverse
from django.utils.translation import gettext as _

from common import audit
from common.enums import Level, Role
from common.models import User
from common.notifications import notify
from crm.enums import TraitKind
from crm.models import Ticket, TicketCluster, TicketTrait
from crm.policies_tickets import CannotSettle
from traceability import selectors as ledger
from traceability.enums import NodeKind, kind_of

# So many tickets within so long are an alert; the share of failed units against good ones.
FEWEST = 3
WITHIN = timedelta(days=90)
LEAST_LIFT = 1.5
Trait = tuple[str, int]


def look(*, item_id: int, now: datetime) -> list[TicketCluster]:
    """Find and count the item's clusters, in the job's transaction; those that are new.

    One job at a time looks at an item: its group in the ledger is the item.
    """
    open_ = {
        (row.kind, row.ref): row
        for row in TicketCluster.objects.filter(item=item_id, settled_at__isnull=True)
    }
    found = _shared(item_id, now)
    telling = _telling(item_id, set(found) - set(open_), now)
    new = []
    for trait, (tickets, first_at, last_at) in found.items():
        known = open_.get(trait)
        if known is None and trait not in telling:
            continue
        cluster = known or TicketCluster(item_id=item_id, kind=trait[0], ref=trait[1], found_at=now)
        cluster.tickets, cluster.first_at, cluster.last_at = tickets, first_at, last_at
        # Of one that was found before the counts alone: somebody may settle it at this moment.
        cluster.save(update_fields=None if known is None else ["tickets", "first_at", "last_at"])
        if known is None:
            new.append(cluster)
            _tell(cluster, now)
    return new


def settle(*, cluster: TicketCluster, reason: str, by: User, now: datetime) -> TicketCluster:
    """Somebody took care of it; only later complaints raise it again. Raise CannotSettle."""
    with transaction.atomic():
        cluster = TicketCluster.objects.select_for_update(no_key=True).get(pk=cluster.pk)
        if cluster.settled_at is not None:
            raise CannotSettle(_("This alert is settled already."))
        if not reason.strip():
            raise CannotSettle(_("Say what was done about it."))
        cluster.settled_at, cluster.settled_by = now, by
        cluster.settled_reason = reason.strip()[:300]
        cluster.save()
        audit.record(
            action="crm.ticket.settle_cluster",
            target=cluster,
            by=by,
            now=now,
            reason=cluster.settled_reason,
        )
    return cluster


def _shared(item_id: int, now: datetime) -> dict[Trait, tuple[int, datetime, datetime]]:
    """By trait that enough recent tickets have: how many, since when, until when."""
    recent = TicketTrait.objects.filter(
        ticket__item=item_id, ticket__opened_at__gte=now - WITHIN, ticket__opened_at__lte=now
    )
    rows = (
        recent.values("kind", "ref")
        .annotate(
            tickets=Count("ticket"), first=Min("ticket__opened_at"), last=Max("ticket__opened_at")
        )
        .filter(tickets__gte=FEWEST)
    )
    found = {(row["kind"], row["ref"]): (row["tickets"], row["first"], row["last"]) for row in rows}
    settled = TicketCluster.objects.filter(item=item_id, settled_at__isnull=False)
    for kind, ref, at in settled.order_by("settled_at").values_list("kind", "ref", "settled_at"):
        if (kind, ref) in found:
            later = recent.filter(kind=kind, ref=ref, ticket__opened_at__gt=at).count()
            if later < FEWEST:
                del found[kind, ref]
    return found


def _telling(item_id: int, asked: Collection[Trait], now: datetime) -> set[Trait]:
    """Those of the traits that failed units have more often than others; symptoms always."""
    told = {trait for trait in asked if trait[0] == TraitKind.SYMPTOM}
    rest = set(asked) - told
    if not rest:
        return told
    tickets = Ticket.objects.filter(item=item_id, opened_at__gte=now - WITHIN, opened_at__lte=now)
    things = tickets.filter(thing__isnull=False).values_list("thing", flat=True).distinct()
    failed = [pk for pk in things if pk is not None and kind_of(pk) == NodeKind.UNIT]
    good = ledger.neighbours(failed, item_id=item_id)
    if not failed or not good:
        # Nothing to compare with: what is shared is all that we know.
        return told | rest
    lifts: dict[Trait, float] = defaultdict(float)
    for row in ledger.shared_by(failed, good):
        if row.value.isdigit():
            lifts[row.kind, int(row.value)] = row.lift
    return told | {trait for trait in rest if lifts[trait] >= LEAST_LIFT}


def _tell(cluster: TicketCluster, now: datetime) -> None:
    notify(
        kind="crm.ticket_cluster",
        parameters={"item": cluster.item.code, "count": cluster.tickets},
        roles=[Role.AFTER_SALES, Role.QUALITY],
        level=Level.DANGER,
        url=reverse("crm:ticket-clusters"),
        now=now,
    )
