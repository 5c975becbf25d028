"""Items, bills of material and routings, with what has to be assumed where data are missing."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from statistics import median

from django.utils.translation import gettext as _

from crm.services.dataset import files
from crm.services.dataset.context import Context
from crm.services.dataset.options import WithoutRouting
from masterdata.enums import LotPolicy, RunBasis, Supply
from masterdata.services.imports import Row, Table

_DAY = timedelta(days=1)
_REVISION = "A"


def without_routing(context: Context) -> list[str]:
    """Codes of the made items for which no operation is recorded."""
    routed = {row.cells["item_number"] for row in context.table("routing_operations.csv").rows}
    return sorted(
        row.cells["item_number"]
        for row in context.table("items.csv").rows
        if row.cells["supply"].lower() == Supply.MAKE and row.cells["item_number"] not in routed
    )


def import_items(context: Context) -> None:
    """Items; made ones get the lot policy of the options, bought ones their lead time."""
    options = context.options
    bought = set()
    if options.without_routing == WithoutRouting.BUY:
        bought = set(without_routing(context))
    lead_times = _lead_times(context)
    period = options.lot_period_days

    def supply(cells: dict[str, str]) -> str:
        return Supply.BUY if cells["item_number"] in bought else cells["supply"]

    def is_made(cells: dict[str, str]) -> bool:
        return supply(cells).lower() == Supply.MAKE

    def lead_time(cells: dict[str, str]) -> str:
        return lead_times.get(cells["item_number"], cells["days_to_manufacture"])

    table = files.translate(
        context.table("items.csv"),
        {
            "code": "item_number",
            "name": "name",
            "supply": supply,
            "uom": "uom",
            "category": _category,
            "is_sold": lambda cells: "no" if _is_zero(cells["list_price"]) else "yes",
            "lead_time_days": lead_time,
            "lot_policy": lambda cells: (
                LotPolicy.PERIOD if period and is_made(cells) else LotPolicy.LOT_FOR_LOT
            ),
            "lot_period_days": lambda cells: str(period) if period and is_made(cells) else "",
            "safety_stock": "safety_stock",
            "standard_cost": "standard_cost",
            "list_price": "list_price",
        },
    )
    table.spoken["lead_time_days"] = "days_to_manufacture"
    context.take("items", table)
    _say_about_items(context)


def import_boms(context: Context) -> None:
    """One BOM per assembly, its lines with their own days of validity."""
    table = context.table("bom_lines.csv")
    ended = _ended_in_time(context, table)
    begins: dict[str, str] = {}
    for row in table.rows:
        day, assembly = row.cells["valid_from"], row.cells["assembly"]
        if files.to_date(day):
            begins[assembly] = min(day, begins.get(assembly, day))
    positions: Counter[str] = Counter()
    numbered: dict[int, str] = {}
    for row in table.rows:
        positions[row.cells["assembly"]] += 10
        numbered[row.line] = str(positions[row.cells["assembly"]])
    lines = files.translate(
        table,
        {
            "item": "assembly",
            "component": "component",
            "quantity_per": "quantity_per",
            "uom": "uom",
            "line_valid_from": "valid_from",
            "revision": lambda _cells: _REVISION,
            "valid_from": lambda cells: begins.get(cells["assembly"], ""),
        },
    )
    lines.columns += ["position", "line_valid_to"]
    for row in lines.rows:
        row.cells |= {"position": numbered[row.line], "line_valid_to": ended[row.line]}
    lines.spoken["line_valid_to"] = "valid_to"
    context.take("bom_lines", lines)
    _say_about_boms(context, table)


def import_routings(context: Context) -> None:
    """Operations with their hours per order; one assumed operation where none is recorded."""
    table = context.table("routing_operations.csv")
    steps = files.translate(
        table,
        {
            "item": "item_number",
            "sequence": "sequence",
            "name": lambda cells: cells["work_center_name"] or cells["work_center"],
            "work_center": "work_center",
            "run_minutes": lambda cells: _minutes(cells["hours_per_order"]),
        },
    )
    steps.spoken["run_minutes"] = "hours_per_order"
    _complete(context, steps)
    context.take("routing_operations", steps)
    context.summary.assume(
        _(
            "Hours of operations are taken per work order, whatever its quantity, as recorded;"
            " there is no set-up time, every operation may pause over a break."
        )
    )
    if context.options.without_routing == WithoutRouting.DEFAULT:
        assumed = _assumed_operations(context)
        _complete(context, assumed)
        context.take("routing_operations", assumed)


def _category(cells: dict[str, str]) -> str:
    parts = [cells["category"], cells["subcategory"]]
    return " / ".join(part for part in parts if part)


def _is_zero(text: str) -> bool:
    return not text.strip("0. ")


def _lead_times(context: Context) -> dict[str, str]:
    """The longest lead time that a supplier states for an item, in days."""
    found: dict[str, int] = {}
    for row in context.table("supplier_prices.csv").rows:
        days, code = row.cells["lead_time_days"], row.cells["item_number"]
        if days.isascii() and days.isdigit():
            found[code] = max(int(days), found.get(code, 0))
    return {code: str(days) for code, days in found.items()}


def _minutes(hours: str) -> str:
    """Hours as minutes; what is no number stays as it is, so that the import names it."""
    try:
        return f"{Decimal(hours) * 60:f}"
    except InvalidOperation:
        return hours


def _complete(context: Context, steps: Table) -> None:
    """The columns that are the same for all operations."""
    first = files.first_day(context.table("bom_lines.csv"), "valid_from")
    begins = (first or context.now.date()).isoformat()
    steps.columns += ["revision", "valid_from", "run_basis"]
    for row in steps.rows:
        row.cells |= {
            "revision": _REVISION,
            "valid_from": begins,
            "run_basis": RunBasis.PER_ORDER,
        }


def _ended_in_time(context: Context, table: Table) -> dict[int, str]:
    """By line, the day on which it is over: the day after its last, or when its successor begins.

    The file's valid_to is the last day: each successor begins on the day after it.
    """
    ends = {row.line: _day_after(row.cells["valid_to"]) for row in table.rows}
    by_component: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in table.rows:
        if files.to_date(row.cells["valid_from"]):
            by_component[row.cells["assembly"], row.cells["component"]].append(row)
    cut = []
    for rows in by_component.values():
        rows.sort(key=lambda row: row.cells["valid_from"])
        for row, successor in zip(rows, rows[1:], strict=False):
            begins = successor.cells["valid_from"]
            # Two that begin on the same day are left alone; the import refuses the second.
            if row.cells["valid_from"] < begins and (not ends[row.line] or ends[row.line] > begins):
                ends[row.line] = begins
                cut.append(f"{row.cells['assembly']} → {row.cells['component']}")
    if cut:
        sentence = _("%(count)s BOM lines overlap their successors and end where these begin:")
        context.summary.assume(sentence % {"count": len(cut)}, cut)
    return ends


def _day_after(text: str) -> str:
    day = files.to_date(text)
    return (day + _DAY).isoformat() if day and day < date.max else text


@dataclass(frozen=True, slots=True)
class _Habit:
    """Where things of a kind are mostly worked on, and how long."""

    center: str
    center_name: str
    hours: Decimal


def _assumed_operations(context: Context) -> Table:
    """One operation per made item without routing, where its like are mostly worked on."""
    rows_by_code = {row.cells["item_number"]: row for row in context.table("items.csv").rows}
    habits = _habits(context)
    table = Table("items.csv", ["item", "sequence", "name", "work_center", "run_minutes"], [])
    table.spoken = {"item": "item_number"}
    groups: dict[_Habit, list[str]] = defaultdict(list)
    for code in without_routing(context):
        row = rows_by_code[code]
        habit = habits.get(row.cells["subcategory"], habits.get(None))
        if habit is None:
            continue
        groups[habit].append(code)
        cells = {
            "item": code,
            "sequence": "10",
            "name": habit.center_name,
            "work_center": habit.center,
            "run_minutes": f"{habit.hours * 60:f}",
        }
        table.rows.append(Row(row.line, cells))
    for habit, codes in groups.items():
        sentence = _(
            "%(count)s made items have no routing; one operation at %(center)s of %(hours)s h per"
            " order is assumed, as is most usual for their kind:"
        )
        facts = {"count": len(codes), "center": habit.center, "hours": f"{habit.hours:f}"}
        context.summary.assume(sentence % facts, codes)
    return table


def _habits(context: Context) -> dict[str | None, _Habit]:
    """Per subcategory, and under None for all: the center of most operations, its median hours."""
    subcategory = {
        row.cells["item_number"]: row.cells["subcategory"]
        for row in context.table("items.csv").rows
    }
    used: dict[str | None, dict[tuple[str, str], list[Decimal]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in context.table("routing_operations.csv").rows:
        try:
            hours = Decimal(row.cells["hours_per_order"])
        except InvalidOperation:
            continue
        center = (row.cells["work_center"], row.cells["work_center_name"])
        kind = subcategory.get(row.cells["item_number"])
        for key in {kind or None, None}:
            used[key][center].append(hours)
    found: dict[str | None, _Habit] = {}
    for key, centers in used.items():
        (code, name), hours_there = max(sorted(centers.items()), key=lambda pair: len(pair[1]))
        found[key] = _Habit(code, name or code, median(hours_there).normalize())
    return found


def _say_about_items(context: Context) -> None:
    options, summary = context.options, context.summary
    if options.lot_period_days:
        sentence = _("Made items are ordered in lots of all demand within %(days)s days.")
        summary.assume(sentence % {"days": options.lot_period_days})
    else:
        summary.assume(_("Made items are ordered lot for lot."))
    summary.assume(
        _(
            "An item is sold where it has a list price; a bought item takes the longest lead time"
            " of its suppliers, a made one the days of manufacture. Weight and reorder point are"
            " not used."
        )
    )
    rows = {row.cells["item_number"]: row.cells for row in context.table("items.csv").rows}
    sold = {row.cells["item_number"] for row in context.table("sales_order_lines.csv").rows}
    bought = sorted(
        code for code in sold & rows.keys() if rows[code]["supply"].lower() == Supply.BUY
    )
    if bought:
        sentence = _("%(count)s sold items are bought and need no work order:")
        summary.assume(sentence % {"count": len(bought)}, bought)
    free = sorted(c for c, cells in rows.items() if _is_zero(cells["standard_cost"]))
    if free:
        summary.assume(_("%(count)s items cost nothing by the data.") % {"count": len(free)})
    if options.without_routing == WithoutRouting.BUY and (codes := without_routing(context)):
        sentence = _("%(count)s made items have no routing and are bought instead:")
        summary.assume(sentence % {"count": len(codes)}, codes)


def _say_about_boms(context: Context, table: Table) -> None:
    summary = context.summary
    superseded = sum(1 for row in table.rows if row.cells["valid_to"])
    summary.assume(
        _(
            "All BOM lines of an assembly are one revision; %(count)s superseded lines are kept"
            " with their days, valid_to being the last of them."
        )
        % {"count": superseded}
    )
    with_bom = {row.cells["assembly"] for row in table.rows}
    items = {row.cells["item_number"]: row.cells for row in context.table("items.csv").rows}
    without = sorted(
        code
        for code, cells in items.items()
        if cells["supply"].lower() == Supply.MAKE and code not in with_bom
    )
    if without:
        sentence = _("%(count)s made items have no BOM and are made of nothing recorded:")
        summary.assume(sentence % {"count": len(without)}, without)
    other = sorted(
        {
            row.cells["component"]
            for row in table.rows
            if row.cells["component"] in items
            and row.cells["uom"] != items[row.cells["component"]]["uom"]
        }
    )
    if other:
        sentence = _(
            "%(count)s components stand in BOMs in another unit than their own; the quantity is"
            " taken as it is:"
        )
        summary.assume(sentence % {"count": len(other)}, other)
