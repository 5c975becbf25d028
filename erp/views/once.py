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
    *,
    tell: Callable[[Exception], None] | None = None,
) -> str | None:
    """Where the effect leads; None where it is refused, with the reason in the form.

    ``tell`` puts the reason where it belongs; without it, it stands above all fields.
    """
    try:
        return idempotency.once(
            user=request.user,
            key=form.cleaned_data["idempotency_key"],
            fingerprint=idempotency.fingerprint(name, *map(str, key)),
            now=timezone.now(),
            effect=effect,
        )
    except (Refused, KeyReused) as refusal:
        if tell is None:
            form.add_error(None, str(refusal))
        else:
            tell(refusal)
        return None
