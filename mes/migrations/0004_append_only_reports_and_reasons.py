"""Reports are never altered; a new plant starts with reasons that people can tap."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION mes_report_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Reports are append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER mes_operationreport_append_only
    BEFORE UPDATE OR DELETE ON mes_operationreport
    FOR EACH ROW EXECUTE FUNCTION mes_report_refuse_change();
"""
APPEND_ONLY_UNDO = """
DROP TRIGGER mes_operationreport_append_only ON mes_operationreport;
DROP FUNCTION mes_report_refuse_change();
"""

REASONS = [
    ("pause", "break", "Break", "休息"),
    ("pause", "material", "Material missing", "缺料"),
    ("pause", "quality", "Waits for quality", "等待检验"),
    ("pause", "machine", "Machine trouble", "设备故障"),
    ("pause", "tool", "Tool worn or missing", "刀具磨损或缺失"),
    ("pause", "shift-end", "End of shift", "交班"),
    ("scrap", "dimension", "Out of tolerance", "尺寸超差"),
    ("scrap", "surface", "Surface damaged", "表面损伤"),
    ("scrap", "material", "Fault in the material", "材料缺陷"),
    ("scrap", "setup", "Setup piece", "调机件"),
    ("scrap", "handling", "Dropped or bent", "磕碰变形"),
    ("rework", "burr", "Burrs", "毛刺"),
    ("rework", "oversize", "Oversize", "尺寸偏大"),
    ("rework", "surface", "Surface to be refinished", "表面需返修"),
]


def add_reasons(apps, schema_editor):
    reason = apps.get_model("mes", "FloorReason")
    places = {}
    for kind, code, name, name_zh in REASONS:
        places[kind] = places.get(kind, 0) + 10
        reason.objects.get_or_create(
            kind=kind,
            code=code,
            defaults={"name": name, "name_zh": name_zh, "position": places[kind]},
        )


class Migration(migrations.Migration):
    dependencies = [("mes", "0003_bookings_rework_and_undo")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
        migrations.RunPython(add_reasons, migrations.RunPython.noop),
    ]
