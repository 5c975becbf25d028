"""What an order costs and earns, over HTTP; the figures of the page."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from common import access
from common.api import ApiRequest, ApiView
from crm import selectors, selectors_costs
from crm.models import SalesOrder


def _amount(**kwargs: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=20, decimal_places=2, **kwargs)


class MoneyOut(serializers.Serializer[Any]):
    """Amounts in the site's currency."""

    planned = _amount()
    spent = _amount()
    in_progress = _amount()
    closed = _amount()
    # At completion: spent, and what open work orders still cost by the plan in force.
    expected = _amount()
    to_come = _amount()
    difference = _amount()


class CostKindOut(serializers.Serializer[Any]):
    """One kind of cost: material, labour, machine, energy, subcontract, overhead, or all in one."""

    # Empty: known in whole only.
    kind = serializers.CharField()
    planned = _amount(source="money.planned")
    spent = _amount(source="money.spent")
    to_come = _amount(source="money.to_come")
    expected = _amount(source="money.expected")
    # Planned less expected.
    difference = _amount(source="money.difference")


class CostPartOut(serializers.Serializer[Any]):
    work_order = serializers.CharField(source="number")
    is_closed = serializers.BooleanField()
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    output = serializers.DecimalField(max_digits=14, decimal_places=4)
    cost = MoneyOut(source="money")


class LineCostOut(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    item = serializers.CharField(source="item_code")
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    revenue = _amount(allow_null=True)
    cost = MoneyOut(source="money")
    kinds = CostKindOut(many=True)
    margin = _amount(allow_null=True)
    from_stock = serializers.DecimalField(source="stock_quantity", max_digits=14, decimal_places=4)
    stock_cost = MoneyOut(source="stock")
    is_final = serializers.BooleanField()
    work_orders = CostPartOut(source="parts", many=True)


class OrderCostOut(serializers.Serializer[Any]):
    currency = serializers.CharField()
    revenue = _amount(allow_null=True)
    cost = MoneyOut(source="money")
    kinds = CostKindOut(many=True)
    margin = _amount(allow_null=True)
    # Why there is no revenue.
    missing = serializers.CharField()
    # Why work is reckoned by standard costs of items and not by rates.
    unpriced = serializers.CharField()
    lines = LineCostOut(many=True)


class OrderCostView(ApiView):
    """Planned, spent and expected cost of each line of an order, and its margin."""

    required_permission = "erp.view_cost"

    @extend_schema(responses=OrderCostOut)
    def get(self, request: ApiRequest, number: str) -> Response:
        access.check(request.user, "crm.view_order")
        order = selectors.order(get_object_or_404(SalesOrder, number=number).number)
        return Response(OrderCostOut(selectors_costs.order_cost(order, at=timezone.now())).data)
