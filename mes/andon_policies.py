"""What may be done about alarms and machines that stand; each refusal is a sentence."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from common.errors import Refused
from mes.enums import ANDON_TRANSITIONS, AndonKind, AndonState
from mes.models import AndonCall, Downtime

# A machine that stands for longer is taken out of use, not estimated.
LONGEST_ESTIMATE = timedelta(days=90)


class CannotRaise(Refused):
    """There is such a call already."""


class CannotAnswer(Refused):
    """The call is answered or resolved already."""


class CannotReportDown(Refused):
    """The machine stands already, or the estimate makes no sense."""


class CannotEstimate(Refused):
    """The machine runs again, or the estimate makes no sense."""


class CannotRecover(Refused):
    """The machine runs already."""


def check_can_raise(waiting: AndonCall | None, unit_code: str) -> None:
    """Raise CannotRaise where the same call waits already."""
    if waiting is not None:
        raise CannotRaise(
            _("%(unit)s: “%(kind)s” is called already, and people know.")
            % {"unit": unit_code, "kind": AndonKind(waiting.kind).label}
        )


def check_can_acknowledge(call: AndonCall) -> None:
    """Raise CannotAnswer unless the call waits for an answer."""
    _check(call, AndonState.ACKNOWLEDGED)


def check_can_resolve(call: AndonCall) -> None:
    """Raise CannotAnswer where it is resolved, or where its machine still stands."""
    _check(call, AndonState.RESOLVED)
    stands = Downtime.objects.filter(incident=call.incident_id, ends_at__isnull=True)
    if call.kind == AndonKind.MACHINE_DOWN and stands.exists():
        raise CannotAnswer(_("The machine still stands: say that it runs again."))


def check_can_report(
    standing: Downtime | None, unit_code: str, estimate: datetime | None, now: datetime
) -> None:
    """Raise CannotReportDown where the unit stands already or the estimate is past or absurd."""
    if standing is not None:
        raise CannotReportDown(
            _("%(unit)s is down already: %(incident)s.")
            % {"unit": unit_code, "incident": standing.incident.number}
        )
    _check_estimate(estimate, now, CannotReportDown)


def check_can_estimate(standing: Downtime | None, estimate: datetime, now: datetime) -> None:
    """Raise CannotEstimate where nothing stands, or the estimate is past or absurd."""
    if standing is None:
        raise CannotEstimate(_("The machine runs again already."))
    _check_estimate(estimate, now, CannotEstimate)


def check_can_recover(standing: Downtime | None) -> None:
    """Raise CannotRecover where nothing stands."""
    if standing is None:
        raise CannotRecover(_("The machine runs again already."))


def _check(call: AndonCall, new: AndonState) -> None:
    state = AndonState(call.state)
    if new not in ANDON_TRANSITIONS[state]:
        raise CannotAnswer(_("This call: %(state)s.") % {"state": state.label})


def _check_estimate(estimate: datetime | None, now: datetime, error: type[Refused]) -> None:
    if estimate is None:
        return
    if estimate <= now:
        raise error(_("Say a moment that is still to come."))
    if estimate - now > LONGEST_ESTIMATE:
        raise error(_("More than 90 days: take the machine out of use in the master data."))
