"""Money of one currency in another, at the rate of a day; a rate that is missing is refused."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from common.errors import Refused
from masterdata.models import ExchangeRate

ONE = Decimal(1)
# Source, target, rate, valid from.
_Row = tuple[str, str, Decimal, date]


class NoExchangeRate(Refused):
    """Nobody entered what one currency is worth in another on a day."""


@dataclass(slots=True)
class Exchange:
    """Into one currency, at the rates of one day; one query, and none where nothing is foreign."""

    currency: str
    day: date
    _rates: dict[str, Decimal] | None = field(default=None, repr=False)
    _history: "ExchangeByDay | None" = field(default=None, repr=False)

    def rate(self, source: str) -> Decimal:
        """What one ``source`` is worth; the newest rate of the day or before it.

        The rate the other way round serves as well where it is newer or the only one. Raise
        NoExchangeRate with what to enter.
        """
        if source == self.currency:
            return ONE
        if self._rates is None:
            history = self._history
            rows = _read(self.currency, until=self.day) if history is None else history.rows()
            self._rates = _rates(rows, self.currency, self.day)
        found = self._rates.get(source)
        if found is None:
            raise NoExchangeRate(
                _(
                    "There is no exchange rate from %(source)s to %(target)s for %(day)s: "
                    "enter it in the master data under exchange rates."
                )
                % {
                    "source": source,
                    "target": self.currency,
                    "day": date_format(self.day, "SHORT_DATE_FORMAT"),
                }
            )
        return found

    def convert(self, amount: Decimal, source: str) -> Decimal:
        """An amount of ``source``, unrounded; raise NoExchangeRate."""
        return amount * self.rate(source)

    def knows(self, source: str) -> bool:
        """Whether there is a rate."""
        try:
            self.rate(source)
        except NoExchangeRate:
            return False
        return True


@dataclass(slots=True)
class ExchangeByDay:
    """Into one currency, at the rates of any day; one query, and none where nothing is foreign."""

    currency: str
    _rows: list[_Row] | None = field(default=None, repr=False)
    _days: dict[date, Exchange] = field(default_factory=dict, repr=False)

    def on(self, day: date) -> Exchange:
        """Conversion at the rates of a day."""
        if day not in self._days:
            self._days[day] = Exchange(self.currency, day, _history=self)
        return self._days[day]

    def rows(self) -> list[_Row]:
        """All rates from and to the currency."""
        if self._rows is None:
            self._rows = _read(self.currency)
        return self._rows


def exchange(*, into: str, on: date) -> Exchange:
    """Conversion into a currency at the rates of a day."""
    return Exchange(into, on)


def exchange_by_day(*, into: str) -> ExchangeByDay:
    """Conversion into a currency where facts of many days are summed."""
    return ExchangeByDay(into)


def _read(currency: str, until: date | None = None) -> list[_Row]:
    rows = ExchangeRate.objects.filter(Q(target=currency) | Q(source=currency))
    if until is not None:
        rows = rows.filter(valid_from__lte=until)
    return list(rows.values_list("source", "target", "rate", "valid_from"))


def _rates(rows: Iterable[_Row], currency: str, day: date) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    valid = (row for row in rows if row[3] <= day)
    # Of one day the direct rate counts: it comes last.
    for source, target, rate, _begins in sorted(valid, key=lambda r: (r[3], r[1] == currency)):
        other = source if target == currency else target
        found[other] = rate if target == currency else ONE / rate
    return found
