from django.db import migrations
from django.db.models import OuterRef, Subquery


def name_customers(apps, schema_editor):
    """Requirements of order lines know since erp 0002 whose they are."""
    requirement = apps.get_model("erp", "Requirement")
    lines = apps.get_model("crm", "SalesOrderLine").objects
    owner = lines.filter(requirement=OuterRef("pk")).values("order__customer")[:1]
    asked = lines.filter(requirement__isnull=False).values("requirement")
    requirement.objects.filter(customer__isnull=True, pk__in=asked).update(customer=Subquery(owner))


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial"), ("erp", "0002_requirement_customer")]

    operations = [migrations.RunPython(name_customers, migrations.RunPython.noop)]
