from django.db import migrations, models

MAKE_TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_tile
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE audit_tile ENABLE ALWAYS TRIGGER append_only
"""

# Hashes do not compress: without this the database tries to with each of them.
STORE_AS_IS = "ALTER TABLE audit_tile ALTER COLUMN hashes SET STORAGE EXTERNAL"


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [
        migrations.CreateModel(
            name="Tile",
            fields=[
                ("pk", models.CompositePrimaryKey("level", "number", blank=True, editable=False, primary_key=True, serialize=False)),
                ("level", models.PositiveSmallIntegerField(verbose_name="level")),
                ("number", models.BigIntegerField(verbose_name="number")),
                ("hashes", models.BinaryField(max_length=8192, verbose_name="hashes")),
                ("root", models.BinaryField(max_length=32, verbose_name="root")),
            ],
            options={"verbose_name": "tile", "verbose_name_plural": "tiles"},
        ),
        migrations.RunSQL(STORE_AS_IS, migrations.RunSQL.noop),
        migrations.RunSQL(MAKE_TRIGGER, "DROP TRIGGER append_only ON audit_tile"),
    ]
