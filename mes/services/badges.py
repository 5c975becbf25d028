"""Badges and PINs: issued by supervisors, read by terminals, locked when somebody guesses.

A PIN is hashed as passwords are. What a badge says is kept as a keyed hash: card numbers are too
few for a plain one. Wrong tries count by badge and by terminal; both lock for a while.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core.cache import caches
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from redis import RedisError

from common import audit
from common.errors import Refused
from common.models import User
from common.permissions import allowed
from mes.models import Badge, Terminal

logger = logging.getLogger(__name__)

MOST_WRONG_PINS = 5
MOST_WRONG_HERE = 15
LOCKED_FOR = timedelta(minutes=10)
# Whoever goes on guessing waits twice as long each time: a PIN has four digits.
LOCKED_AT_MOST = timedelta(days=1)
# Codes that nothing is known by, from one person within the minutes: beyond, badges are not read
# for them. A line scans some serial numbers that are new; who tries out cards, thousands.
MOST_UNKNOWN = 100
UNKNOWN_SECONDS = 600
_LONGEST_CODE = 200
_MOST_COUNTED = 1000


class CannotIssue(Refused):
    """The badge cannot be issued so."""


class CannotSignIn(Refused):
    """Who stands at the terminal is not let in; the sentence never says what was wrong of it."""


def issue(
    *,
    person: User,
    number: str,
    code: str = "",
    pin: str = "",
    is_active: bool = True,
    by: User,
    now: datetime,
) -> Badge:
    """Give the person number, badge and PIN; empty code or PIN keep what there is.

    Unlocks it. Raise CannotIssue.
    """
    number, code = number.strip(), code.strip()
    _check(person, number, code, pin)
    with transaction.atomic():
        badge = Badge.objects.select_for_update(no_key=True).filter(person=person).first()
        is_new = badge is None
        badge = badge or Badge(person=person, issued_at=now)
        if is_new and not code and not pin:
            raise CannotIssue(_("Scan a badge, type a PIN, or both."))
        badge.number, badge.is_active = number, is_active
        badge.digest = _digest(code) if code else badge.digest
        badge.pin = make_password(pin) if pin else badge.pin
        badge.failures, badge.locked_until = 0, None
        try:
            with transaction.atomic():
                badge.save()
        except IntegrityError as conflict:
            raise CannotIssue(
                _("Somebody else has this number or this badge already.")
            ) from conflict
        changes: dict[str, list[Any]] = {"number": [None, number], "active": [None, is_active]}
        changes |= {"badge": [None, "…"]} if code else {}
        changes |= {"pin": [None, "…"]} if pin else {}
        audit.record(
            action="mes.badge.issue" if is_new else "mes.badge.change",
            target=badge,
            by=by,
            now=now,
            changes=changes,
        )
    return badge


def sign_in(
    *, terminal: Terminal, now: datetime, code: str = "", number: str = "", pin: str = ""
) -> User:
    """Who stands at the terminal: by what the badge says, or by number and PIN.

    Raise CannotSignIn. A wrong try is counted although it is refused.
    """
    with transaction.atomic():
        row = Terminal.objects.select_for_update(no_key=True, of=("self",)).get(pk=terminal.pk)
        found = _judge(row, code, number, pin, now)
    if isinstance(found, str):
        raise CannotSignIn(found)
    return found


def find(code: str) -> Badge | None:
    """The active badge that a scanner read, None for anything else."""
    return Badge.objects.filter(is_active=True, digest=_digest(code)).first()


def may_switch(person: User) -> bool:
    """Whether a badge that the person scans is read; not after too many unknown codes.

    Counted in Redis, which may be emptied or away: then badges are read.
    """
    return _unknown_codes(person) < MOST_UNKNOWN


def note_unknown(person: User) -> None:
    """The person scanned what is neither a badge nor anything else that is known here."""
    key = _unknown_key(person)
    with _redis_may_be_away():
        if not caches["throttle"].add(key, 1, UNKNOWN_SECONDS):
            with suppress(ValueError):  # It has just run out.
                caches["throttle"].incr(key)


def _unknown_codes(person: User) -> int:
    with _redis_may_be_away():
        return int(caches["throttle"].get(_unknown_key(person), 0))
    return 0


def _unknown_key(person: User) -> str:
    return f"mes.unknown_codes:{person.pk}"


@contextmanager
def _redis_may_be_away() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        logger.warning("Unknown codes are not counted: %s", error)


def _judge(row: Terminal, code: str, number: str, pin: str, now: datetime) -> User | str:
    """The person, or why nobody is let in."""
    if not row.is_active:
        # Revoked since the request began.
        return _("This device is no terminal any more; ask a supervisor.")
    if row.locked_until and row.locked_until > now:
        return _locked_sentence(row.locked_until, now)
    badge = _locked_badge(digest=_digest(code)) if code else _by_number(number)
    if badge and badge.locked_until and badge.locked_until > now:
        return _locked_sentence(badge.locked_until, now)
    if badge is None or not (code or check_password(pin[:20], badge.pin)):
        if badge is None and not code:
            make_password(pin[:20])  # As slow for a number that nobody has.
        return _count_wrong(row, badge, bool(code), now)
    person = badge.person
    if not allowed(person, "mes.execute_operation"):
        return _("Your account may not work at terminals; ask a supervisor.")
    row.failures, row.locked_until = 0, None
    row.save(update_fields=["failures", "locked_until"])
    badge.failures, badge.locked_until = 0, None
    badge.last_terminal, badge.last_used_at = row, now
    badge.save(update_fields=["failures", "locked_until", "last_terminal", "last_used_at"])
    audit.record(action="mes.terminal.sign_in", target=row, by=person, now=now)
    return person


def _count_wrong(row: Terminal, badge: Badge | None, is_scan: bool, now: datetime) -> str:
    until = now + LOCKED_FOR
    row.failures += 1
    if row.failures >= MOST_WRONG_HERE:
        row.failures, row.locked_until = 0, until
        audit.record(action="mes.terminal.lock", target=row, by=None, now=now)
    row.save(update_fields=["failures", "locked_until"])
    if badge is not None:
        badge.failures = min(badge.failures + 1, _MOST_COUNTED)
        if badge.failures % MOST_WRONG_PINS == 0:
            badge.locked_until = now + _locked_for(badge.failures // MOST_WRONG_PINS)
            audit.record(action="mes.badge.lock", target=badge, by=None, now=now)
        badge.save(update_fields=["failures", "locked_until"])
    return _("This badge is not known here.") if is_scan else _("Number or PIN is wrong.")


def _locked_for(times: int) -> timedelta:
    """How long the badge is locked the first, second, … time without a right PIN in between."""
    doubled: int = 2 ** min(times - 1, 10)
    return min(LOCKED_FOR * doubled, LOCKED_AT_MOST)


def _locked_sentence(until: datetime, now: datetime) -> str:
    minutes = max(1, -int(-(until - now).total_seconds() // 60))
    return _(
        "Locked after too many wrong tries. Try again in %(minutes)s minutes, or ask a supervisor."
    ) % {"minutes": minutes}


def _by_number(number: str) -> Badge | None:
    number = number.strip()
    return _locked_badge(number=number) if number.isascii() and number.isdigit() else None


def _locked_badge(**key: str) -> Badge | None:
    return (
        Badge.objects.select_for_update(no_key=True, of=("self",))
        .select_related("person")
        .filter(is_active=True, person__is_active=True, **key)
        .first()
    )


def _check(person: User, number: str, code: str, pin: str) -> None:
    if not allowed(person, "mes.execute_operation"):
        raise CannotIssue(
            _("%(person)s is no operator or supervisor; change the roles first.")
            % {"person": person}
        )
    if not re.fullmatch(r"[0-9]{1,12}", number):
        raise CannotIssue(_("The number has 1 to 12 digits."))
    if pin and (not re.fullmatch(r"[0-9]{4,8}", pin) or len(set(pin)) == 1):
        raise CannotIssue(_("A PIN has 4 to 8 digits that are not all the same."))
    if code and not 4 <= len(code) <= _LONGEST_CODE:
        raise CannotIssue(_("A badge says between 4 and 200 characters."))


def _digest(code: str) -> str:
    text = code.strip()[:_LONGEST_CODE].encode("utf-8", "surrogatepass")
    made = salted_hmac("mes.badge", text, algorithm="sha256")
    return made.hexdigest()
