"""The tree of reasons for downtime that a factory starts with; a migration writes it once."""

from typing import TypedDict


class Reason(TypedDict):
    """One row of ``mes.DowntimeReason``; ``parent`` is a code above it."""

    code: str
    parent: str
    name: str
    name_zh: str
    loss: str
    customer_text: str
    customer_text_zh: str


_MACHINE = ("A machine at our plant needed repair.", "我厂一台设备需要维修。")
_TOOLING = ("A tool at our plant had to be replaced.", "我厂一件工装需要更换。")
_MATERIAL = ("A delivery of material was late.", "原材料到货延迟。")
_QUALITY = ("We repeated work to keep our quality.", "为保证质量，我们重新加工了部分产品。")
_CAPACITY = ("Our production capacity was short.", "我厂产能临时不足。")
_NOTHING = ("", "")


def _row(
    code: str,
    parent: str,
    names: tuple[str, str],
    said: tuple[str, str] = _NOTHING,
    loss: str = "unplanned",
) -> Reason:
    return Reason(
        code=code,
        parent=parent,
        name=names[0],
        name_zh=names[1],
        loss=loss,
        customer_text=said[0],
        customer_text_zh=said[1],
    )


REASONS: tuple[Reason, ...] = (
    _row("MECHANICAL", "", ("Mechanical fault", "机械故障"), _MACHINE),
    _row("SPINDLE", "MECHANICAL", ("Spindle or bearing", "主轴或轴承")),
    _row("DRIVE", "MECHANICAL", ("Drive or axis", "传动或进给轴")),
    _row("HYDRAULICS", "MECHANICAL", ("Hydraulics or pneumatics", "液压或气动")),
    _row("ELECTRICAL", "", ("Electrical fault", "电气故障"), _MACHINE),
    _row("CONTROL", "ELECTRICAL", ("Control or program", "控制系统或程序")),
    _row("SENSOR", "ELECTRICAL", ("Sensor or safety door", "传感器或安全门")),
    _row("POWER", "ELECTRICAL", ("Power supply", "供电")),
    _row("TOOLING", "", ("Tool or fixture", "刀具或工装"), _TOOLING),
    _row("TOOL-BROKEN", "TOOLING", ("Tool broken", "刀具损坏")),
    _row("TOOL-MISSING", "TOOLING", ("Tool missing", "缺少刀具")),
    _row("MATERIAL", "", ("Material", "物料"), _MATERIAL),
    _row("MATERIAL-MISSING", "MATERIAL", ("Material missing", "缺料")),
    _row("MATERIAL-BAD", "MATERIAL", ("Material unusable", "来料不合格"), _QUALITY),
    _row("QUALITY", "", ("Quality stop", "质量停机"), _QUALITY),
    _row("PEOPLE", "", ("Nobody to run it", "无人操作"), _CAPACITY),
    _row("PLANNED", "", ("Planned stop", "计划停机"), _CAPACITY, "planned"),
    _row("MAINTENANCE", "PLANNED", ("Maintenance", "保养"), _NOTHING, "planned"),
    _row("CLEANING", "PLANNED", ("Cleaning", "清洁"), _NOTHING, "planned"),
    _row("TRIAL", "PLANNED", ("Trial run", "试制"), _NOTHING, "planned"),
    _row("OTHER", "", ("Something else", "其他"), _CAPACITY),
)
