"""Months of readings are made ahead, also by the application's role, which owns no table."""

from django.db import migrations

# What is in the default partition already stays there: a month that has begun without its own
# partition gets none. At most a year ahead, so that no defect fills the database with tables.
MAKE_MONTH = """
CREATE FUNCTION traceability_make_month(day date) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    begins timestamptz := date_trunc('month', day::timestamp) AT TIME ZONE 'UTC';
    ends timestamptz := (date_trunc('month', day::timestamp) + interval '1 month')
        AT TIME ZONE 'UTC';
    name text := 'traceability_reading_' || to_char(day, 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NOT NULL OR begins > now() + interval '1 year' OR EXISTS (
        SELECT FROM traceability_reading_other WHERE at >= begins AND at < ends) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF traceability_reading FOR VALUES FROM (%L) TO (%L)',
        name, begins, ends);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'millstream_app') THEN
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM millstream_app', name);
    END IF;
    RETURN true;
END $$;
"""
MAKE_MONTH_UNDO = "DROP FUNCTION traceability_make_month(date);"


class Migration(migrations.Migration):
    dependencies = [("traceability", "0004_work_orders_and_counts")]

    operations = [migrations.RunSQL(MAKE_MONTH, MAKE_MONTH_UNDO)]
