from crm.models.order import Conversion, SalesOrder, SalesOrderLine
from crm.models.promise import Milestone, Projection, PromiseRevision
from crm.models.shipment import Shipment, ShipmentLine

__all__ = [
    "Conversion",
    "Milestone",
    "Projection",
    "PromiseRevision",
    "SalesOrder",
    "SalesOrderLine",
    "Shipment",
    "ShipmentLine",
]
