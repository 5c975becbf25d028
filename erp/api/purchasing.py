"""Purchase orders and proposals over HTTP; the same services as the pages."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.response import Response

from common.api import ApiRequest, ApiView, ListApiView, StrictSerializer
from common.permissions import allowed
from erp import selectors
from erp.api.lookup import SITE, SiteIn, bin_named, missing, site_asked, site_named, site_of_body
from erp.enums import MrpCause, MrpRunState, ProposalAction, PurchaseOrderState
from erp.models import Proposal, PurchaseOrder, PurchaseOrderLine
from erp.services import mrp_runs, proposals, purchase_entry, purchase_orders, purchasing
from masterdata import selectors as masterdata
from traceability.selectors import LONGEST_CODE


class LineOut(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    item = serializers.CharField(source="item.code")
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    received = serializers.DecimalField(max_digits=14, decimal_places=4)
    rejected = serializers.DecimalField(max_digits=14, decimal_places=4)
    returned = serializers.DecimalField(max_digits=14, decimal_places=4)
    due_date = serializers.DateField()
    wished_date = serializers.DateField(allow_null=True)
    # Null for those who may not see cost.
    unit_price = serializers.SerializerMethodField()

    def get_unit_price(self, line: PurchaseOrderLine) -> str | None:
        user = self.context["request"].user
        return str(line.unit_price) if allowed(user, "erp.view_cost") else None


class PurchaseOrderOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    supplier = serializers.CharField(source="supplier.code")
    site = serializers.CharField(source="site.code")
    state = serializers.ChoiceField(choices=PurchaseOrderState.choices)
    ordered_at = serializers.DateTimeField()
    currency = serializers.CharField()
    supplier_reference = serializers.CharField()


class PurchaseOrderDetailOut(PurchaseOrderOut):
    version = serializers.IntegerField()
    # Why another person has to approve it; null for those who may not see cost.
    approval_reasons = serializers.SerializerMethodField()
    lines = LineOut(source="lines.all", many=True)

    def get_approval_reasons(self, order: PurchaseOrder) -> list[str] | None:
        if not allowed(self.context["request"].user, "erp.view_cost"):
            return None
        return purchase_orders.reasons_for_approval(order)


class ProposalOut(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    action = serializers.ChoiceField(choices=ProposalAction.choices)
    site = serializers.CharField(source="site.code")
    item = serializers.CharField(source="item.code")
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    system_quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    due_date = serializers.DateField()
    release_date = serializers.DateField()
    supplier = serializers.SerializerMethodField()
    reference = serializers.CharField()
    needed_for = serializers.CharField(source="requirement.reference", default=None)

    def get_supplier(self, proposal: Proposal) -> str | None:
        chosen = proposal.override_supplier or proposal.system_supplier
        return chosen.code if chosen else None


class ReceiveIn(StrictSerializer):
    quantity = serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=0, default=Decimal(0)
    )
    rejected = serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=0, default=Decimal(0)
    )
    reference = serializers.CharField(max_length=60, required=False, default="")
    bin = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    lot_number = serializers.CharField(max_length=LONGEST_CODE, required=False, default="")
    serials = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CODE),
        required=False,
        max_length=10_000,
        default=list,
    )
    supplier_lot = serializers.CharField(max_length=LONGEST_CODE, required=False, default="")
    expires_on = serializers.DateField(required=False, allow_null=True, default=None)
    certificate = serializers.CharField(max_length=60, required=False, default="")


class SendBackIn(StrictSerializer):
    """What goes back: of tracked items a lot or serial numbers; ``replace``: it comes again."""

    quantity = serializers.DecimalField(max_digits=14, decimal_places=4, min_value=0)
    reason = serializers.CharField(max_length=60)
    replace = serializers.BooleanField(required=False, default=False)
    lot = serializers.CharField(
        max_length=LONGEST_CODE, required=False, allow_blank=True, default=""
    )
    serials = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CODE),
        required=False,
        max_length=10_000,
        default=list,
    )
    bin = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")


class PromiseIn(StrictSerializer):
    position = serializers.IntegerField()
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4, min_value=0)
    due_date = serializers.DateField()


class ConfirmIn(StrictSerializer):
    """What the supplier promises; ``version`` is the one that was read."""

    version = serializers.IntegerField()
    supplier_reference = serializers.CharField(max_length=60, required=False, default="")
    lines = PromiseIn(many=True, allow_empty=False)


class AcceptIn(SiteIn):
    proposals = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**62), max_length=5000
    )


class AcceptOut(serializers.Serializer[Any]):
    purchase_orders = serializers.ListField(child=serializers.CharField())
    handed_over = serializers.IntegerField()
    already = serializers.IntegerField()
    refused = serializers.DictField(child=serializers.CharField())


class RunOut(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    site = serializers.CharField(source="site.code")
    state = serializers.ChoiceField(choices=MrpRunState.choices)
    cause = serializers.ChoiceField(choices=MrpCause.choices)


class EntryLineIn(StrictSerializer):
    """Without a day: as soon as the supplier can; without a price: the known one."""

    item = serializers.CharField(max_length=60)
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4, min_value=0)
    due_date = serializers.DateField(required=False, allow_null=True, default=None)
    unit_price = serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=0, required=False, allow_null=True, default=None
    )


class PurchaseOrderIn(SiteIn):
    """A draft in the currency of the supplier's prices."""

    supplier = serializers.CharField(max_length=40)
    lines = EntryLineIn(many=True, allow_empty=False)


@extend_schema_view(get=extend_schema(parameters=[SITE]))
class PurchaseOrderList(ListApiView):
    """A site's purchase orders, the newest first; ``show`` and ``q`` narrow as on the page.

    POST writes a draft; a price is taken from who may see cost alone.
    """

    required_permission = {"GET": "erp.view_purchasing", "POST": "erp.edit_purchase_order"}
    serializer_class = PurchaseOrderOut

    def get_queryset(self) -> QuerySet[PurchaseOrder]:
        asked = self.request.query_params
        return selectors.purchase_orders(
            group=asked.get("show", ""),
            text=asked.get("q", "").replace("\x00", ""),
            today=timezone.localdate(),
            site_id=site_asked(self.request),
        )

    @extend_schema(request=PurchaseOrderIn, responses={201: PurchaseOrderDetailOut})
    def post(self, request: ApiRequest) -> Response:
        body = PurchaseOrderIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        order = purchase_entry.write(
            supplier_id=_supplier_id(data["supplier"]),
            site_id=site_named(data["site"]),
            lines=_entered(data["lines"], sees_cost=allowed(request.user, "erp.view_cost")),
            by=request.user,
            now=timezone.now(),
        )
        return _answer(order.number, request, status=201)


class PurchaseOrderView(ApiView):
    """One purchase order with its lines."""

    required_permission = "erp.view_purchasing"

    @extend_schema(responses=PurchaseOrderDetailOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        return _answer(number, request)


class SubmitView(ApiView):
    """Send a draft to its supplier, or to another person for approval where it needs one."""

    required_permission = "erp.edit_purchase_order"

    @extend_schema(request=None, responses=PurchaseOrderDetailOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        purchase_orders.submit(order=_order(number), by=request.user, now=timezone.now())
        return _answer(number, request)


class ApproveView(ApiView):
    """Let an order out that waits for approval; refused to the one who ordered."""

    required_permission = "erp.approve_purchase_order"

    @extend_schema(request=None, responses=PurchaseOrderDetailOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        purchase_orders.approve(order=_order(number), by=request.user, now=timezone.now())
        return _answer(number, request)


class ConfirmView(ApiView):
    """Note what the supplier promises; the schedule follows."""

    required_permission = "erp.edit_purchase_order"

    @extend_schema(request=ConfirmIn, responses=PurchaseOrderDetailOut)
    def post(self, request: ApiRequest, number: str) -> Response:
        asked = ConfirmIn(data=request.data)
        asked.is_valid(raise_exception=True)
        order, data = _order(number), asked.validated_data
        lines = {line.position: line for line in order.lines.all()}
        unknown = [row["position"] for row in data["lines"] if row["position"] not in lines]
        if unknown:
            raise serializers.ValidationError({"lines": [_("There is no such position.")]})
        purchase_orders.confirm(
            order=order,
            promises={
                lines[row["position"]].pk: purchase_orders.Promise(row["quantity"], row["due_date"])
                for row in data["lines"]
            },
            supplier_reference=data["supplier_reference"],
            version=data["version"],
            by=request.user,
            now=timezone.now(),
        )
        return _answer(number, request)


class ReceiveView(ApiView):
    """Book in what came of a line."""

    required_permission = "erp.receive_stock"

    @extend_schema(request=ReceiveIn, responses=PurchaseOrderDetailOut)
    def post(self, request: ApiRequest, number: str, position: int) -> Response:
        asked = ReceiveIn(data=request.data)
        asked.is_valid(raise_exception=True)
        line, data = _line(number, position), dict(asked.validated_data)
        place = data.pop("bin")
        names = ("lot_number", "serials", "supplier_lot", "expires_on", "certificate")
        labels = purchasing.Labels(
            **{name: data.pop(name) for name in names},
            bin_id=bin_named("bin", place, line.order.site_id).pk if place else None,
        )
        purchasing.receive_line(
            line=line, **data, labels=labels, by=request.user, now=timezone.now()
        )
        return _answer(number, request)


class ReturnView(ApiView):
    """Send received goods back to their supplier."""

    required_permission = "erp.receive_stock"

    @extend_schema(request=SendBackIn, responses=PurchaseOrderDetailOut)
    def post(self, request: ApiRequest, number: str, position: int) -> Response:
        asked = SendBackIn(data=request.data)
        asked.is_valid(raise_exception=True)
        line, data = _line(number, position), asked.validated_data
        place = bin_named("bin", data["bin"], line.order.site_id) if data["bin"] else None
        purchasing.return_line(
            line=line,
            quantity=data["quantity"],
            reason=data["reason"],
            replace=data["replace"],
            goods=purchasing.Goods(data["lot"], data["serials"], place.pk if place else None),
            by=request.user,
            now=timezone.now(),
        )
        return _answer(number, request)


@extend_schema_view(get=extend_schema(parameters=[SITE]))
class ProposalList(ListApiView):
    """A site's open proposals, the most urgent first; ``show`` and ``q`` narrow as on the page."""

    required_permission = "erp.view_planning"
    serializer_class = ProposalOut

    def get_queryset(self) -> QuerySet[Proposal]:
        asked = self.request.query_params
        return selectors.proposals(
            site_id=site_asked(self.request),
            group=asked.get("show", ""),
            text=asked.get("q", "").replace("\x00", ""),
        )


class AcceptView(ApiView):
    """Carry proposals out; what was accepted before stays as it is."""

    required_permission = "erp.plan_supply"

    @extend_schema(request=AcceptIn, responses=AcceptOut)
    def post(self, request: ApiRequest) -> Response:
        asked = AcceptIn(data=request.data)
        asked.is_valid(raise_exception=True)
        done = proposals.accept(
            site_id=site_named(asked.validated_data["site"]),
            proposal_ids=asked.validated_data["proposals"],
            by=request.user,
            now=timezone.now(),
        )
        answer = {
            "purchase_orders": [order.number for order in done.orders],
            "handed_over": done.handed_over,
            "already": done.already,
            "refused": {str(proposal.pk): sentence for proposal, sentence in done.refused},
        }
        return Response(AcceptOut(answer).data)


class RunRequestView(ApiView):
    """Plan the requirements anew."""

    required_permission = "erp.plan_supply"

    @extend_schema(request=SiteIn, responses={202: RunOut})
    def post(self, request: ApiRequest) -> Response:
        site_id = site_of_body(request.data)
        run = mrp_runs.request(site_id=site_id, by=request.user, now=timezone.now())
        return Response(RunOut(run).data, status=202)


def _supplier_id(code: str) -> int:
    found = masterdata.supplier_as_typed(code)
    if found is None:
        raise missing("supplier", code)
    return found.pk


def _entered(rows: list[dict[str, Any]], *, sees_cost: bool) -> list[purchase_entry.Entered]:
    """The lines with their items; raise ValidationError naming what is not there or not allowed."""
    items = masterdata.items_by_codes(row["item"] for row in rows)
    found = []
    for row in rows:
        item = items.get(row["item"].strip().lower())
        if item is None:
            raise missing("item", row["item"])
        if row["unit_price"] is not None and not sees_cost:
            raise serializers.ValidationError({"unit_price": [_("You may not set a price.")]})
        found.append(
            purchase_entry.Entered(item.pk, row["quantity"], row["due_date"], row["unit_price"])
        )
    return found


def _order(number: str) -> PurchaseOrder:
    found = selectors.purchase_order(number)
    if found is None:
        raise Http404
    return found


def _line(number: str, position: int) -> PurchaseOrderLine:
    order = _order(number)
    for line in order.lines.all():
        if line.position == position:
            line.order = order
            return line
    raise Http404


def _answer(number: str, request: ApiRequest, *, status: int = 200) -> Response:
    shown = PurchaseOrderDetailOut(_order(number), context={"request": request})
    return Response(shown.data, status=status)
