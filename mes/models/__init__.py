from mes.models.cost import CostStandard
from mes.models.operation import OperationReport, OperationUnit, WorkOrderOperation
from mes.models.work_order import WorkOrder, WorkOrderMaterial, WorkOrderPeg

__all__ = [
    "CostStandard",
    "OperationReport",
    "OperationUnit",
    "WorkOrder",
    "WorkOrderMaterial",
    "WorkOrderOperation",
    "WorkOrderPeg",
]
