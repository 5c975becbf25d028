"""From readiness at the site to the customer's door and back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext as _

from aps.services.explosion import CannotCheck
from erp import selectors as erp
from masterdata import selectors as masterdata
from masterdata.services import calendars, shipping
from masterdata.services.calendars import Rules
from masterdata.services.shipping import NoShippingTime, ShippingCalendar


@dataclass(frozen=True)
class Door:
    """The site's shipping days and the customer's transit."""

    shipping: ShippingCalendar
    transit_days: int
    zone: ZoneInfo
    today: date

    def arrival(self, minute: int) -> date:
        """The day at the door of what is ready at a minute since 1970. Raises NoShippingTime."""
        return self.shipping.delivery_date(
            ready_at=calendars.to_datetime(minute), transit_days=self.transit_days
        )

    def latest_ready(self, day: date) -> int:
        """The latest minute of readiness that keeps the day. Raises NoShippingTime."""
        moment = self.shipping.latest_ready_at(day=day, transit_days=self.transit_days)
        return calendars.to_minutes(moment)


def of(*, site_id: int, customer_id: int | None, now: datetime) -> Door:
    """The door of a customer, or our own dock for none; raises CannotCheck for unknown ids."""
    try:
        site = masterdata.site(site_id)
    except ObjectDoesNotExist:
        raise CannotCheck(_("This site does not exist.")) from None
    transit_days = 0
    if customer_id is not None:
        try:
            transit_days = masterdata.customer_transit_days(customer_id)
        except ObjectDoesNotExist:
            raise CannotCheck(_("This customer does not exist.")) from None
    return Door(
        shipping=ShippingCalendar(site),
        transit_days=transit_days,
        zone=calendars.zone(site.time_zone),
        today=shipping.today(site, now=now),
    )


def several(*, site_id: int, customer_ids: Collection[int], now: datetime) -> dict[int, Door]:
    """The doors of these customers by id, our own dock for 0 and for unknown ones.

    As many queries as for one.
    """
    dock = of(site_id=site_id, customer_id=None, now=now)
    days = masterdata.transit_days_of(customer_ids)
    return {pk: replace(dock, transit_days=days.get(pk, 0)) for pk in {0, *customer_ids}}


class Doors:
    """The doors of many order lines of a site: the days that their orders' pages show.

    A constant number of queries to make one, none to ask it. ``instead``: rules of calendars, by
    id, as they would be.
    """

    def __init__(
        self,
        *,
        site_id: int,
        requirement_ids: Collection[int],
        instead: Mapping[int, Rules] | None = None,
    ) -> None:
        self._shipping = ShippingCalendar(masterdata.site(site_id), instead)
        codes = erp.customer_codes(requirement_ids)
        days = masterdata.transit_days(codes.values())
        self._transit = {pk: days.get(code, 0) for pk, code in codes.items()}

    def day(self, requirement_id: int, ready_at: datetime | None) -> date | None:
        """The day at the door of what is ready then; None where there is none."""
        if ready_at is None:
            return None
        try:
            return self._shipping.delivery_date(
                ready_at=ready_at, transit_days=self._transit.get(requirement_id, 0)
            )
        except NoShippingTime:
            return None
