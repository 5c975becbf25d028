"""Tickets over HTTP; the same services as the pages."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, ListApiView, StrictSerializer
from crm import selectors_products as products
from crm import selectors_tickets as selectors
from crm.api.serializers import CustomerCode, ItemCode
from crm.enums import MessageKind, ReportTier, TicketChannel, TicketPriority, TicketState
from crm.models import Ticket
from crm.services import tickets, trace_reports
from crm.services.tickets import About, Contact
from crm.services.trace_reports import UrlOf
from masterdata import selectors as masterdata


class TicketIn(StrictSerializer):
    """A complaint; the customer is who got the product, where none is named."""

    title = serializers.CharField(max_length=200)
    text = serializers.CharField(max_length=20_000)
    serial_number = serializers.CharField(max_length=200, required=False, allow_blank=True)
    customer = CustomerCode(required=False)
    item = ItemCode(required=False)
    # The site's code; without it the only site, or the one that makes the product.
    site = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    symptom = serializers.CharField(max_length=40, required=False)
    priority = serializers.ChoiceField(choices=TicketPriority.choices, required=False)
    contact_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    contact_email = serializers.EmailField(required=False, allow_blank=True)

    def validate_symptom(self, code: str) -> Any:
        found = selectors.symptoms().filter(code=code).first()
        if found is None:
            raise serializers.ValidationError(_("There is no such symptom."))
        return found


class TicketMessageIn(StrictSerializer):
    text = serializers.CharField(max_length=20_000)
    kind = serializers.ChoiceField(
        choices=[
            (MessageKind.TO_CUSTOMER.value, MessageKind.TO_CUSTOMER.label),
            (MessageKind.NOTE.value, MessageKind.NOTE.label),
        ]
    )
    is_answer = serializers.BooleanField(required=False)


class TicketReportIn(StrictSerializer):
    tier = serializers.ChoiceField(choices=ReportTier.choices, required=False)
    text = serializers.CharField(max_length=20_000, required=False)


class TicketRowOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    title = serializers.CharField()
    status = serializers.ChoiceField(source="state", choices=TicketState.choices)
    priority = serializers.ChoiceField(choices=TicketPriority.choices)
    customer = serializers.CharField(source="customer.code", default=None)
    item = serializers.CharField(source="item.code", default=None)
    serial_number = serializers.CharField(source="serial")
    thing = serializers.IntegerField(allow_null=True)
    symptom = serializers.CharField(source="symptom.code", default=None)
    opened_at = serializers.DateTimeField()
    first_response_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    answer_due_at = serializers.DateTimeField(allow_null=True)


class TicketMessageOut(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=MessageKind.choices)
    at = serializers.DateTimeField()
    author = serializers.CharField(source="author.username", default=None)
    author_name = serializers.CharField()
    text = serializers.CharField(source="body")
    is_answer = serializers.BooleanField()
    report = serializers.CharField(source="report.number", default=None)
    mailed_at = serializers.DateTimeField(allow_null=True)


class TicketReportOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    tier = serializers.ChoiceField(choices=ReportTier.choices)
    issued_at = serializers.DateTimeField()
    content_sha256 = serializers.CharField(source="content_digest")
    pdf_sha256 = serializers.CharField(source="pdf_digest")


class TicketOut(TicketRowOut):
    messages = TicketMessageOut(many=True)
    reports = TicketReportOut(many=True)


def _url_of(request: ApiRequest) -> UrlOf:
    """The address of the page that verifies a code."""

    def build(code: str) -> str:
        url: str = request.build_absolute_uri(reverse("crm:report-verify", args=[code]))
        return url

    return build


def _find(number: str) -> Ticket:
    return get_object_or_404(Ticket.objects.select_related("customer", "site"), number=number)


def _answer(number: str, code: int = status.HTTP_200_OK) -> Response:
    return Response(TicketOut(selectors.ticket(number)).data, status=code)


class TicketListView(ListApiView):
    """Tickets, newest first; ``?status=`` and ``?serial_number=`` narrow. POST opens one."""

    required_permission = {"GET": "crm.view_ticket", "POST": "crm.edit_ticket"}
    serializer_class = TicketRowOut

    def get_queryset(self) -> QuerySet[Ticket]:
        found = selectors.tickets()
        wanted = self.request.query_params.get("status")
        if wanted in TicketState.values:
            found = found.filter(state=wanted)
        if serial := self.request.query_params.get("serial_number", "").replace("\x00", ""):
            things = [one.thing for one in products.named(serial)]
            found = found.filter(thing__in=things)
        return found

    @extend_schema(request=TicketIn, responses={201: TicketOut})
    def post(self, request: ApiRequest) -> Response:
        body = TicketIn(data=request.data)
        body.is_valid(raise_exception=True)
        about, now = _about(body.validated_data), timezone.now()
        try:
            site_id = tickets.site_for(about, code=body.validated_data["site"], now=now)
        except masterdata.CannotTellSite as refused:
            raise serializers.ValidationError({"site": [str(refused)]}) from refused
        made = tickets.create(
            title=body.validated_data["title"],
            body=body.validated_data["text"],
            about=about,
            site_id=site_id,
            contact=Contact(
                body.validated_data.get("contact_name", ""),
                body.validated_data.get("contact_email", ""),
            ),
            channel=TicketChannel.AGENT,
            by=request.user,
            now=now,
        )
        return _answer(made.number, status.HTTP_201_CREATED)


def _about(data: dict[str, Any]) -> About:
    serial = data.get("serial_number", "")
    named = products.named(serial) if serial else []
    holder = named[0].customer_id if len(named) == 1 else None
    customer, item, symptom = data.get("customer"), data.get("item"), data.get("symptom")
    return About(
        customer_id=customer.pk if customer else holder,
        item_id=item.pk if item else None,
        serial=serial,
        symptom_id=symptom.pk if symptom else None,
        priority=TicketPriority(data.get("priority", TicketPriority.NORMAL)),
    )


class TicketView(ApiView):
    required_permission = "crm.view_ticket"

    @extend_schema(responses=TicketOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        return _answer(_find(number).number)


class TicketMessageView(ApiView):
    """Write to the customer, or a note among us."""

    required_permission = "crm.answer_ticket"

    @extend_schema(request=TicketMessageIn, responses={201: TicketOut})
    def post(self, request: ApiRequest, number: str) -> Response:
        body = TicketMessageIn(data=request.data)
        body.is_valid(raise_exception=True)
        data, ticket, now = body.validated_data, _find(number), timezone.now()
        if data["kind"] == MessageKind.NOTE:
            tickets.note(ticket=ticket, body=data["text"], by=request.user, now=now)
        else:
            tickets.reply(
                ticket=ticket,
                body=data["text"],
                is_answer=data.get("is_answer", False),
                by=request.user,
                now=now,
            )
        return _answer(number, status.HTTP_201_CREATED)


class TicketReportView(ApiView):
    """Make the report on the product's history and send it; 409 says why not."""

    required_permission = "crm.answer_ticket"

    @extend_schema(request=TicketReportIn, responses={201: TicketReportOut})
    def post(self, request: ApiRequest, number: str) -> Response:
        body = TicketReportIn(data=request.data)
        body.is_valid(raise_exception=True)
        tier = body.validated_data.get("tier")
        made = trace_reports.issue(
            ticket=_find(number),
            tier=ReportTier(tier) if tier else None,
            text=body.validated_data.get("text", ""),
            url_of=_url_of(request),
            by=request.user,
            now=timezone.now(),
        )
        return Response(TicketReportOut(made).data, status=status.HTTP_201_CREATED)


class TicketMoveView(ApiView):
    """``wait``, ``resolve``, ``close`` or ``reopen`` a ticket; 409 says why not."""

    required_permission = "crm.answer_ticket"

    @extend_schema(request=None, responses=TicketOut)
    def post(self, request: ApiRequest, number: str, step: str) -> Response:
        ticket, now = _find(number), timezone.now()
        if step == "wait":
            tickets.wait(ticket=ticket, by=request.user, now=now)
        elif step == "resolve":
            tickets.resolve(ticket=ticket, reason="", by=request.user, now=now)
        elif step == "close":
            tickets.close(ticket=ticket, by=request.user, now=now)
        else:
            tickets.reopen(ticket=ticket, reason="", by=request.user, now=now)
        return _answer(number)
