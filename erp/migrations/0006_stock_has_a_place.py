"""Each site gets a warehouse with one bin per kind; what lay at the site lies in its storage."""

from django.db import migrations

PLACES = """
INSERT INTO erp_warehouse (site_id, code, name, name_zh)
    SELECT id, 'MAIN', 'Main warehouse', '主仓库' FROM masterdata_site;
INSERT INTO erp_bin (warehouse_id, code, kind, is_active)
    SELECT warehouse.id, upper(kinds.kind), kinds.kind, true
    FROM erp_warehouse AS warehouse
    CROSS JOIN unnest(ARRAY[
        'storage', 'receiving', 'staging', 'production', 'shipping', 'quarantine'
    ]) WITH ORDINALITY AS kinds (kind, place)
    ORDER BY warehouse.id, kinds.place;
INSERT INTO erp_stockquant
    (bin_id, item_id, quantity, staged, is_held, allows_negative, since)
    SELECT bin.id, balance.item_id, balance.on_hand, 0, false, false, coalesce(
        (SELECT max(at) FROM erp_stockmove AS move
         WHERE move.item_id = balance.item_id AND move.site_id = balance.site_id), now())
    FROM erp_stockbalance AS balance
    JOIN erp_warehouse AS warehouse ON warehouse.site_id = balance.site_id
    JOIN erp_bin AS bin ON bin.warehouse_id = warehouse.id AND bin.kind = 'storage'
    WHERE balance.on_hand <> 0;
UPDATE erp_stockmove AS move SET bin_id = bin.id
    FROM erp_warehouse AS warehouse JOIN erp_bin AS bin ON bin.warehouse_id = warehouse.id
    WHERE warehouse.site_id = move.site_id AND bin.kind = 'storage';
"""


class Migration(migrations.Migration):
    dependencies = [("erp", "0005_warehouses_and_quants")]

    operations = [migrations.RunSQL(PLACES, migrations.RunSQL.noop)]
