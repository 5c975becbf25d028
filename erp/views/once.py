"""A form whose effect happens once, however often it is sent."""

from collections.abc import Callable

from django.utils import timezone

from common import idempotency
from common.access import AuthenticatedRequest
from common.errors import Refused
from common.forms import OnceForm
from common.idempotency import KeyReused


def once(
    request: AuthenticatedRequest,
    form: OnceForm,
    name: str,
    key: tuple[object, ...],
    effect: Callable[[], str],
) -> str | None:
    """Where the effect leads; None where it is refused, with the reason in the form."""
    try:
        return idempotency.once(
            user=request.user,
            key=form.cleaned_data["idempotency_key"],
            fingerprint=idempotency.fingerprint(name, *map(str, key)),
            now=timezone.now(),
            effect=effect,
        )
    except (Refused, KeyReused) as refusal:
        form.add_error(None, str(refusal))
        return None
