from crm.models.notice import DelayNotice, DelayNoticeAttempt, NoticeRule
from crm.models.order import BulkApproval, Conversion, SalesOrder, SalesOrderLine
from crm.models.promise import Milestone, Projection, PromiseRevision
from crm.models.rush import RushRequest
from crm.models.shipment import Shipment, ShipmentLine

__all__ = [
    "BulkApproval",
    "Conversion",
    "DelayNotice",
    "DelayNoticeAttempt",
    "Milestone",
    "NoticeRule",
    "Projection",
    "PromiseRevision",
    "RushRequest",
    "SalesOrder",
    "SalesOrderLine",
    "Shipment",
    "ShipmentLine",
]
