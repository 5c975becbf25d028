"""A repeated request gets the first answer again, and its effect happens once.

Key, effect and stored answer commit in one transaction. A duplicate that comes while the first
is under way waits at the unique index: if the first commits, it gets that answer; if the first
rolls back, it runs itself.

What is kept under a key: success, and a refusal by a business rule (409), whose effect is undone
while the answer stays, so that a device that retries does not do later what its user was told
would not happen. Not kept: bad input (400), missing (404), forbidden (401, 403) and server
errors, which did nothing; the same key may be used again.
"""

import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import IdempotentAnswer, User

MAX_KEY_LENGTH = 200


class KeyReused(Refused):
    """The key was used before with another request; the API answers 422."""


def new_key() -> str:
    """A key for a form's hidden field."""
    return str(uuid.uuid4())


def fingerprint(*parts: object) -> str:
    """SHA-256 over what makes two requests the same; the order of object keys does not count."""
    text = json.dumps(parts, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def claim(
    *, user: User, key: str, fingerprint: str, now: datetime
) -> tuple[IdempotentAnswer, bool]:
    """The row of a key, and whether this transaction is the first to use it.

    Waits for a transaction that is using the key now. Raises KeyReused for another fingerprint
    and TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Claim a key inside atomic() only.")
    row = IdempotentAnswer(user=user, key=key, fingerprint=fingerprint, created_at=now)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO common_idempotentanswer (user_id, key, fingerprint, created_at)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (user_id, key) DO NOTHING RETURNING id",
            [user.pk, key, fingerprint, now],
        )
        inserted = cursor.fetchone()
    if inserted:
        row.pk = inserted[0]
        row._state.adding = False
        return row, True
    row = IdempotentAnswer.objects.get(user=user, key=key)
    if row.fingerprint != fingerprint:
        raise KeyReused(_("This key was used before for another request. Send a new one."))
    return row, False


def keep(row: IdempotentAnswer, *, status: int, body: Any) -> None:
    """Store the answer of a claimed key; ``body`` is JSON."""
    row.status = status
    row.text = json.dumps(body, ensure_ascii=False)
    row.save(update_fields=["status", "text"])


def kept(row: IdempotentAnswer) -> Any:
    """The stored answer, its fields in the order in which they were sent."""
    return json.loads(row.text or "null")


def once(
    *, user: User, key: str, fingerprint: str, now: datetime, effect: Callable[[], str]
) -> str:
    """Run a page's effect once per key and return its text, such as the URL to go to.

    A repeat gets the first one's text. For a form with a hidden ``idempotency_key``
    (``common.forms.OnceForm``). What ``effect`` raises undoes everything, the key as well: the
    user reads the reason on the page and sends the corrected form again.
    """
    with transaction.atomic():
        try:
            row, first = claim(user=user, key=key, fingerprint=fingerprint, now=now)
        except KeyReused as error:
            # Back in the browser, changed, and sent again.
            raise KeyReused(
                _("This form was sent before with other content. Open a new one.")
            ) from error
        if first:
            keep(row, status=302, body=effect())
        return str(kept(row))


def forget(*, before: datetime) -> int:
    """Delete answers older than the moment; return how many."""
    return IdempotentAnswer.objects.filter(created_at__lt=before).delete()[0]
