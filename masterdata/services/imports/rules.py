"""What must hold of a row by itself, and of all rows of a file together with what is there.

The database's constraints say the same; here each says it as a sentence with its place.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import models
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from common.errors import Refused
from masterdata import policies
from masterdata.enums import LotPolicy
from masterdata.models import Bom, BomLine, Item, Routing, RoutingOperation
from masterdata.services import boms, calendars, changeovers, checks, graph, routings, validity
from masterdata.services.imports.parsed import Parsed
from masterdata.services.imports.reading import BadRow, Table

Values = dict[str, Any]
Fault = tuple[str, str]


def time_zone_exists(values: Values) -> Iterator[Fault]:
    try:
        calendars.zone(values["time_zone"])
    except Refused as refusal:
        yield "time_zone", str(refusal)


def weekday_exists(values: Values) -> Iterator[Fault]:
    if values["weekday"] > 6:
        yield "weekday", _("The weekday is 0 (Monday) to 6 (Sunday).")


def moments_in_order(values: Values) -> Iterator[Fault]:
    if values["ends_at"] <= values["starts_at"]:
        yield "ends_at", _("The end is not after the start.")


def days_in_order(values: Values, prefix: str = "") -> Iterator[Fault]:
    try:
        boms.check_span((values["valid_from"], values["valid_to"]))
    except Refused as refusal:
        yield f"{prefix}valid_to", str(refusal)


def line_days_in_order(values: Values) -> Iterator[Fault]:
    return days_in_order(values, "line_")


def currency_has_three_letters(values: Values) -> Iterator[Fault]:
    return _three_letters(values, "currency")


def two_currencies(values: Values) -> Iterator[Fault]:
    """Of an exchange rate: between two different currencies, above zero."""
    yield from _three_letters(values, "source")
    yield from _three_letters(values, "target")
    if values["source"] == values["target"]:
        yield "target", _("An exchange rate is between two different currencies.")
    if values["rate"] <= 0:
        yield "rate", _("The rate must be above 0.")


def _three_letters(values: Values, name: str) -> Iterator[Fault]:
    currency = values[name]
    if len(currency) != 3 or not (currency.isascii() and currency.isupper()):
        yield name, _("A currency has three capital letters, such as USD.")


def _unknown(currency: str) -> str:
    try:
        policies.check_can_pay_in(currency, on=timezone.localdate())
    except Refused as refusal:
        return str(refusal)
    return ""


def currencies_are_exchanged(table: Table, rows: list[Parsed]) -> Iterator[BadRow]:
    """What is paid in a foreign currency has an exchange rate; a query or two per currency."""
    told: dict[str, str] = {}
    for parsed in rows:
        currency = parsed.values["currency"]
        if currency not in told:
            told[currency] = _unknown(currency)
        if told[currency]:
            yield table.bad(parsed.row, "currency", told[currency])


def scrap_is_a_share(values: Values) -> Iterator[Fault]:
    if values["scrap_rate"] >= 1:
        yield "scrap_rate", _("Scrap is a share below 1; write 0.05 for five percent.")


def quantity_is_positive(values: Values) -> Iterator[Fault]:
    if values["quantity_per"] <= 0:
        yield "quantity_per", _("The quantity must be above 0.")


def lot_policy_is_complete(values: Values) -> Iterator[Fault]:
    if values["lot_policy"] == LotPolicy.FIXED and not values["lot_size"]:
        yield "lot_size", _("A fixed lot needs its size.")
    if values["lot_policy"] == LotPolicy.PERIOD and not values["lot_period_days"]:
        yield "lot_period_days", _("Lots by period need the days of a period.")


def tracking_policy_fits(values: Values) -> Iterator[Fault]:
    return policies.tracking_faults(values)


def weight_is_positive(values: Values) -> Iterator[Fault]:
    if values["weight"] < 1:
        yield "weight", _("The weight is 1 or more.")


def changeover_within_a_week(values: Values) -> Iterator[Fault]:
    try:
        changeovers.check_minutes(values["minutes"])
    except Refused as refusal:
        yield "minutes", str(refusal)


def somebody_is_there(values: Values) -> Iterator[Fault]:
    if values["people"] < 1:
        yield "people", _("At least one person has to be there.")


def tool_is_there(values: Values) -> Iterator[Fault]:
    if values["quantity"] < 1:
        yield "quantity", _("There has to be at least one; a tool that is gone is not active.")


def order_quantities_in_order(values: Values) -> Iterator[Fault]:
    most = values["max_order_quantity"]
    if most is not None and most < values["min_order_quantity"]:
        yield "max_order_quantity", _("The maximum order is below the minimum order.")


def check_can_be_answered(values: Values) -> Iterator[Fault]:
    yield from checks.wrong(values)


def days_outside_have_subcontractor(values: Values) -> Iterator[Fault]:
    if values["subcontract_days"] and values["subcontractor_id"] is None:
        yield "subcontractor", _("Days outside need a subcontractor.")


def waits_make_sense(values: Values) -> Iterator[Fault]:
    yield from routings.wrong_waits(
        values["wait_minutes"], values["max_wait_minutes"], values["transfer_quantity"]
    )


def no_overlapping_boms(table: Table, rows: list[Parsed]) -> Iterator[BadRow]:
    return _overlapping_revisions(table, rows, Bom, boms.overlapping_boms)


def no_overlapping_routings(table: Table, rows: list[Parsed]) -> Iterator[BadRow]:
    return _overlapping_revisions(table, rows, Routing, routings.overlapping_routings)


def something_follows_a_wait(table: Table, rows: list[Parsed]) -> Iterator[BadRow]:
    """The last operation of a routing, the stored ones counted, asks for no wait."""
    last: dict[Any, int] = {}
    parents = {parsed.parent_pk: parsed.parent_key for parsed in rows if parsed.parent_pk}
    stored = RoutingOperation.objects.filter(routing__in=parents).order_by()
    for pk, sequence in stored.values_list("routing").annotate(Max("sequence")):
        last[parents[pk]] = sequence
    for parsed in rows:
        before = last.get(parsed.parent_key, 0)
        last[parsed.parent_key] = max(before, parsed.values["sequence"])
    names = ("wait_minutes", "max_wait_minutes", "transfer_quantity")
    for parsed in rows:
        is_last = parsed.values["sequence"] == last[parsed.parent_key]
        if is_last and routings.is_followed(*(parsed.values[name] for name in names)):
            told = next((name for name in names if parsed.values[name]), names[1])
            yield table.bad(parsed.row, told, routings.nothing_follows(parsed.values["sequence"]))


def no_overlapping_lines(table: Table, rows: list[Parsed]) -> Iterator[BadRow]:
    """The same component twice in a BOM on one day."""
    replaced = {parsed.pk for parsed in rows if parsed.pk}
    parents = {parsed.parent_pk: parsed.parent_key for parsed in rows if parsed.parent_pk}
    used: dict[Any, list[tuple[validity.Span, tuple[int, Parsed | None]]]] = {}
    for line in BomLine.objects.filter(bom_id__in=parents).exclude(pk__in=replaced):
        key = (parents[line.bom_id], line.component_id)
        span = (line.valid_from, line.valid_to)
        used.setdefault(key, []).append((span, (line.position, None)))
    for parsed in rows:
        key = (parsed.parent_key, parsed.values["component_id"])
        span = (parsed.values["valid_from"], parsed.values["valid_to"])
        used.setdefault(key, []).append((span, (parsed.values["position"], parsed)))
    clashes = [
        (key[1], one, other)
        for key, spans in used.items()
        if len(spans) > 1
        for one, other in validity.all_overlaps(spans)
    ]
    codes = _codes(component for component, _one, _other in clashes)
    for component, one, other in clashes:
        named = other[1] or one[1]
        if named:
            reason = boms.overlapping_lines(codes[component], one[0], other[0])
            yield table.bad(named.row, "component", reason)


def no_cycles(table: Table, rows: list[Parsed]) -> Iterator[BadRow]:
    """Each row that is part of a chain back to its own item, with the chain."""
    replaced = BomLine.objects.filter(pk__in=[parsed.pk for parsed in rows if parsed.pk])
    edges = boms.all_edges(without=replaced)
    for parsed in rows:
        edges.setdefault(parsed.parent["item_id"], set()).add(parsed.values["component_id"])
    together = graph.components(edges)
    for parsed in rows:
        item, component = parsed.parent["item_id"], parsed.values["component_id"]
        if together[item] != together[component]:
            continue
        if way := graph.chain(edges, component, item):
            yield table.bad(parsed.row, "component", boms.cycle_sentence([item, *way]))


def _overlapping_revisions(
    table: Table,
    rows: list[Parsed],
    model: type[Bom] | type[Routing],
    sentence: Callable[[str, str, str], str],
) -> Iterator[BadRow]:
    """Rows of a revision that shares a day with another of its item."""
    by_item: dict[int, list[tuple[validity.Span, str]]] = {}
    in_file: dict[tuple[Any, ...], list[Parsed]] = {}
    for parsed in rows:
        in_file.setdefault(parsed.parent_key, []).append(parsed)
    for (item, revision), (first, *_rest) in in_file.items():
        span = (first.parent["valid_from"], first.parent["valid_to"])
        by_item.setdefault(item, []).append((span, revision))
    known: models.QuerySet[Any] = model._default_manager.filter(item_id__in=by_item)
    for item, revision, start, end in known.values_list(
        "item_id", "revision", "valid_from", "valid_to"
    ):
        if (item, revision) not in in_file:
            by_item[item].append(((start, end), revision))
    clashing = {item: pair for item, spans in by_item.items() if (pair := _clash(spans))}
    codes = _codes(clashing)
    for item, (one, other) in clashing.items():
        for revision in (one, other):
            for parsed in in_file.get((item, revision), []):
                yield table.bad(parsed.row, "valid_from", sentence(codes[item], one, other))


def _clash(spans: list[tuple[validity.Span, str]]) -> tuple[str, str] | None:
    return validity.first_overlap(spans) if len(spans) > 1 else None


def _codes(item_ids: Iterable[int]) -> dict[int, str]:
    return dict(Item.objects.filter(pk__in=set(item_ids)).values_list("pk", "code"))
