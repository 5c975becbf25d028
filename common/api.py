"""What every view of ``/api/v1/`` shares: who may, what errors look like, repeated POSTs.

A view derives from ``ApiView`` and says who may in ``required_permission``, either one code or
one per method: ``{"GET": "crm.view_order", "POST": "crm.edit_order"}``.
"""

import json
from collections.abc import Callable
from typing import Any, cast

from django.core import exceptions
from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from psycopg import errors as postgres
from rest_framework import generics, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.views import exception_handler as drf_exception_handler

from common import access, idempotency, trouble
from common.api_access import HasRequiredPermission
from common.errors import Refused
from common.models import User

REPLAYED_HEADER = "Idempotency-Replayed"


class ApiRequest(Request):
    """What a method behind ``HasRequiredPermission`` gets: a request whose user is one of ours."""

    user: User


class IdempotentView(APIView):
    """Honour ``Idempotency-Key`` on every POST (``common.idempotency`` says what is kept)."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key")
        if request.method != "POST" or key is None or not hasattr(self, "post"):
            return
        if not 0 < len(key) <= idempotency.MAX_KEY_LENGTH or not key.isprintable():
            raise ValidationError(
                {"Idempotency-Key": [_("Send between 1 and 200 printable characters.")]}
            )
        answer: Callable[..., Response] = getattr(self, "post")  # noqa: B009

        def post(request: Request, *args: Any, **kwargs: Any) -> Response:
            return self._once(key, answer, request, *args, **kwargs)

        # dispatch() looks the handler up after this method.
        setattr(self, "post", post)  # noqa: B010

    def _once(
        self, key: str, answer: Callable[..., Response], request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        with transaction.atomic():
            row, first = idempotency.claim(
                user=cast(User, request.user),
                key=key,
                fingerprint=idempotency.fingerprint(
                    request.method, request.get_full_path(), request.data
                ),
                now=timezone.now(),
            )
            if not first:
                return Response(
                    idempotency.kept(row), status=row.status, headers={REPLAYED_HEADER: "true"}
                )
            try:
                with transaction.atomic():
                    response = answer(request, *args, **kwargs)
            except Refused as refusal:
                # The effect is undone, the answer stays.
                response = self.handle_exception(refusal)
            if status.is_success(response.status_code) or response.status_code == 409:
                body = json.loads(JSONRenderer().render(response.data) or b"null")
                idempotency.keep(row, status=response.status_code, body=body)
            else:
                transaction.set_rollback(True)
            return response


class ApiView(IdempotentView):
    """Base of the API's views."""

    required_permission: access.Requirement | None = None
    permission_classes = [HasRequiredPermission]

    def perform_authentication(self, request: Request) -> None:
        """Who a token belongs to is known only here, so their language is chosen here as well."""
        super().perform_authentication(request)
        if isinstance(request.user, User) and "Accept-Language" not in request.headers:
            translation.activate(request.user.language)


class Pagination(PageNumberPagination):
    """Pages of 50, up to 500 on request."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500


class ListApiView(ApiView, generics.ListAPIView):  # type: ignore[type-arg]
    """Base of the API's lists: ``get_queryset`` and ``serializer_class``, paged."""

    pagination_class = Pagination


class StrictSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A request's body; a field it does not know is an error and not silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if not isinstance(error.detail, dict):
                raise
            raise ValidationError({**error.detail, **_unknown_fields(unknown)}) from error
        if unknown:
            raise ValidationError(_unknown_fields(unknown))
        return value


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to what a view raised: bad input is never a server error.

    400 ``{"field": ["sentence"]}``; 401, 403, 404, 409 (refused by a rule, or somebody else was
    first), 413, 422 (a key used twice), 503 (no database, with Retry-After):
    ``{"detail": "sentence"}``.
    """
    if isinstance(exc, Refused):
        is_reused = isinstance(exc, idempotency.KeyReused)
        code = status.HTTP_422_UNPROCESSABLE_ENTITY if is_reused else status.HTTP_409_CONFLICT
        return Response({"detail": str(exc)}, status=code)
    if isinstance(exc, exceptions.RequestDataTooBig):
        return Response(
            {"detail": _("The body is too large; send less at once.")},
            status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
        )
    if isinstance(exc, exceptions.ValidationError):
        return Response(_validation_detail(exc), status=status.HTTP_400_BAD_REQUEST)
    if isinstance(exc, exceptions.ObjectDoesNotExist):
        return Response({"detail": _("Not found.")}, status=status.HTTP_404_NOT_FOUND)
    if isinstance(exc, DatabaseError | InterfaceError):
        return _database_answer(exc)
    return drf_exception_handler(exc, context)


def _validation_detail(error: exceptions.ValidationError) -> dict[str, list[str]]:
    if hasattr(error, "error_dict"):
        return {
            "non_field_errors" if field == exceptions.NON_FIELD_ERRORS else field: messages
            for field, messages in error.message_dict.items()
        }
    return {"non_field_errors": error.messages}


def _database_answer(error: Exception) -> Response | None:
    """What a constraint or a lock said after all checks had passed, or that the database is gone;
    None for a defect of ours."""
    found = trouble.of(error)
    if found is not None:
        wait = None if found.retry_after is None else {"Retry-After": str(found.retry_after)}
        return Response({"detail": str(found.sentence)}, status=found.status, headers=wait)
    cause = error.__cause__
    code: int
    if isinstance(cause, postgres.DataError):
        detail, code = _("A value is out of range."), status.HTTP_400_BAD_REQUEST
    elif isinstance(
        cause, postgres.UniqueViolation | postgres.CheckViolation | postgres.ExclusionViolation
    ):
        detail, code = _("This contradicts what is stored already."), status.HTTP_409_CONFLICT
    else:
        return None
    return Response({"detail": detail}, status=code)


def _unknown_fields(names: set[str]) -> dict[str, list[str]]:
    # JSON can write half a character, which no answer can say again.
    said = (str(name).encode("utf-8", "replace").decode() for name in names)
    return {name: [_("There is no such field.")] for name in sorted(said)}
