from mes.models.floor import FloorReason, TimeBooking
from mes.models.operation import OperationReport, OperationUnit, WorkOrderOperation
from mes.models.work_order import WorkOrder, WorkOrderMaterial, WorkOrderPeg

__all__ = [
    "FloorReason",
    "OperationReport",
    "OperationUnit",
    "TimeBooking",
    "WorkOrder",
    "WorkOrderMaterial",
    "WorkOrderOperation",
    "WorkOrderPeg",
]
