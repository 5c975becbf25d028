"""A promise's numbers in the user's language: the causes, and the chain that leads to the day."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from aps.services.explosion import Exploded, Shortage
from aps.services.live import Live
from aps.services.promise_answers import ChainLink, Reason, ReasonKind
from aps.solver import Answer, Link, LinkKind
from masterdata.services import calendars

# Besides the binding one, a wait of at least this share of the whole is told too.
TOLD_SHARE = 0.15
MOST_TOLD = 3
_TOLD = (
    LinkKind.CAPACITY,
    LinkKind.MATERIAL,
    LinkKind.CALENDAR,
    LinkKind.POOL,
    LinkKind.WAIT,
)
HOUR = 60
DAY = 24 * HOUR


@dataclass(frozen=True)
class Words:
    """What the sentences of one check have in common."""

    live: Live
    zone: ZoneInfo
    exploded: Exploded

    def moment(self, minute: int) -> str:
        """A moment at the site: "Tue 14 Oct 16:00"."""
        local = calendars.to_datetime(minute).astimezone(self.zone)
        return date_format(local, pgettext("format of a moment", "D j M H:i"))

    def reasons(self, answer: Answer) -> list[Reason]:
        """The binding constraint first, then other long waits, each kind and place once."""
        whole = max(1, answer.earliest_finish - answer.chain[0].start) if answer.chain else 1
        long_ones = sorted(
            (
                link
                for link in answer.chain
                if link.kind in _TOLD and link.minutes >= TOLD_SHARE * whole
            ),
            key=lambda link: -link.minutes,
        )
        links = [answer.binding] if answer.binding is not None else []
        told: dict[tuple[ReasonKind, str], Reason] = {}
        for link in [*links, *long_ones]:
            reason = self._reason(link, answer)
            if reason is not None:
                told.setdefault((reason.kind, reason.code), reason)
        return list(told.values())[:MOST_TOLD]

    def chain(self, answer: Answer) -> tuple[ChainLink, ...]:
        """From now to readiness, without a hole."""
        return tuple(
            ChainLink(
                kind=str(link.kind),
                starts_at=calendars.to_datetime(link.start),
                ends_at=calendars.to_datetime(link.end),
                item_code=self.exploded.steps[link.operation].item.code,
                text=self._link(link),
                work_unit_id=link.resource if link.resource in self.live.units else None,
            )
            for link in answer.chain
            if link.minutes
        )

    def then(self, answer: Answer, arrival: date) -> str:
        """What comes after the binding constraint until the day at the door; "" where it is all."""
        binding = answer.binding
        if binding is None or binding.kind == LinkKind.MINIMUM:
            return ""
        after = [link for link in answer.chain if link.start >= binding.end]
        work = sum(link.minutes for link in after if link.kind == LinkKind.WORK)
        waits = sum(link.minutes for link in after) - work
        facts = {
            "work": duration(work),
            "waits": duration(waits),
            "ready": self.moment(answer.earliest_finish),
            "day": day(arrival),
        }
        if waits:
            text = _(
                "After that the work takes %(work)s by the clock and waits another %(waits)s: "
                "ready on %(ready)s, at the customer on %(day)s."
            )
        else:
            text = _(
                "After that the work takes %(work)s by the clock: ready on %(ready)s, at the "
                "customer on %(day)s."
            )
        return text % facts

    def shortage(self, shortage: Shortage) -> str:
        """Which item is short, until when, and how much of it is there."""
        facts = {
            "item": shortage.item.code,
            "moment": self.moment(shortage.at),
            "stock": quantity(shortage.on_stock),
            "needed": quantity(shortage.needed),
            "document": shortage.reference,
            "days": shortage.item.lead_time_days,
        }
        if not shortage.reference:
            return (
                _(
                    "Item %(item)s is short until %(moment)s; %(stock)s of %(needed)s on stock, "
                    "the rest has a lead time of %(days)s days."
                )
                % facts
            )
        return (
            _(
                "Item %(item)s is short until %(moment)s; %(stock)s of %(needed)s on stock, "
                "the rest comes with %(document)s."
            )
            % facts
        )

    def _reason(self, link: Link, answer: Answer) -> Reason | None:
        until = calendars.to_datetime(link.end)
        if link.kind in (LinkKind.CAPACITY, LinkKind.CALENDAR):
            return self._machine(link, until)
        if link.kind == LinkKind.MATERIAL:
            shortage = self.exploded.shortages.get(link.operation)
            if shortage is None:
                return None
            return Reason(ReasonKind.MATERIAL, self.shortage(shortage), until, shortage.item.code)
        if link.kind == LinkKind.POOL:
            code = self.live.shared.name(link.pool or 0)
            return Reason(ReasonKind.POOL, self._pool(link), until, code)
        if link.kind == LinkKind.WAIT:
            return self._rest(link, until)
        return self._minimum(answer)

    def _machine(self, link: Link, until: datetime) -> Reason:
        """Its work center is full, or closed."""
        center = self._center(link)
        facts = {"center": center, "moment": self.moment(link.end)}
        if link.kind == LinkKind.CAPACITY:
            text = _("Work center %(center)s is full until %(moment)s.")
            return Reason(ReasonKind.CAPACITY, text % facts, until, center)
        text = _("Work center %(center)s does not work until %(moment)s.")
        return Reason(ReasonKind.CALENDAR, text % facts, until, center)

    def _rest(self, link: Link, until: datetime) -> Reason:
        """The pieces cool or dry after an operation."""
        item = self.exploded.steps[link.operation].item.code
        text = _("%(item)s waits %(span)s after %(step)s, until %(moment)s.")
        facts = {"item": item, "span": duration(link.minutes)}
        facts |= {"step": self._step_name(link), "moment": self.moment(link.end)}
        return Reason(ReasonKind.WAIT, text % facts, until, item)

    def _pool(self, link: Link) -> str:
        """Which tool is in use, or whose people are missing, until when."""
        shared, pool = self.live.shared, link.pool or 0
        facts = {"code": shared.name(pool), "name": shared.label(pool)}
        facts["moment"] = self.moment(link.end)
        if shared.is_tool(pool):
            return _("Tool %(code)s (%(name)s) is in use until %(moment)s.") % facts
        return _("Nobody with the skill %(code)s (%(name)s) is free until %(moment)s.") % facts

    def _minimum(self, answer: Answer) -> Reason | None:
        if not self.exploded.has_work or not answer.chain:
            return None
        span = answer.earliest_finish - answer.chain[0].start
        text = _("Minimum lead time: the work itself takes %(span)s.")
        return Reason(
            ReasonKind.MINIMUM,
            text % {"span": duration(span)},
            calendars.to_datetime(answer.earliest_finish),
        )

    def _center(self, link: Link) -> str:
        unit = self.live.units.get(link.resource or 0)
        if unit is not None:
            return unit.work_center_code
        return _("subcontractor")

    def _link(self, link: Link) -> str:
        unit = self.live.units.get(link.resource or 0)
        if link.kind == LinkKind.MATERIAL and link.operation in self.exploded.shortages:
            return self.shortage(self.exploded.shortages[link.operation])
        if link.kind == LinkKind.POOL:
            return self._pool(link)
        place = unit.code if unit else _("subcontractor")
        step = self.exploded.steps[link.operation]
        facts = {"unit": place, "item": step.item.code, "step": self._step_name(link)}
        texts = {
            LinkKind.WORK: _("%(step)s of %(item)s on %(unit)s"),
            LinkKind.CAPACITY: _("%(unit)s is taken by other work"),
            LinkKind.CALENDAR: _("%(unit)s does not work"),
            LinkKind.MATERIAL: _("%(item)s waits for material"),
            LinkKind.PRECEDENCE: _("%(item)s waits for its components"),
            LinkKind.WAIT: _("%(item)s waits after %(step)s"),
            LinkKind.MINIMUM: _("%(step)s of %(item)s on %(unit)s"),
        }
        return texts[link.kind] % facts

    def _step_name(self, link: Link) -> str:
        operation = self.exploded.steps[link.operation].operation
        if operation is None:
            return ""
        chinese = (get_language() or "").startswith("zh")
        name = operation.name_zh if chinese and operation.name_zh else operation.name
        return name or str(operation.sequence)


def quantity(value: Decimal) -> str:
    """A quantity without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def day(value: date) -> str:
    """A day: "Tue 14 Oct 2026"."""
    return date_format(value, pgettext("format of a day", "D j M Y"))


def duration(minutes: int) -> str:
    """Clock time in the largest unit that says enough."""
    if minutes >= 2 * DAY:
        days = round(minutes / DAY)
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}
    if minutes >= 2 * HOUR:
        hours = round(minutes / HOUR)
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
