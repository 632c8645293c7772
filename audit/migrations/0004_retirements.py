from django.db import migrations, models

import audit.fields
import audit.identifiers

MAKE_TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_retirement
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE audit_retirement ENABLE ALWAYS TRIGGER append_only
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_tiles")]

    operations = [
        migrations.CreateModel(
            name="Retirement",
            fields=[
                (
                    "id",
                    models.UUIDField(default=audit.identifiers.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("first_id", models.UUIDField(unique=True, verbose_name="from the entry")),
                ("end_id", models.UUIDField(verbose_name="up to the entry")),
                ("entries", models.BigIntegerField(verbose_name="entries")),
                ("first_index", models.BigIntegerField(null=True, verbose_name="first place")),
                ("last_index", models.BigIntegerField(null=True, verbose_name="last place")),
                ("retired_at", models.DateTimeField(db_default=audit.fields.ClockTimestamp(), verbose_name="retired at")),
            ],
            options={"verbose_name": "retired month", "verbose_name_plural": "retired months"},
        ),
        migrations.RunSQL(MAKE_TRIGGER, "DROP TRIGGER append_only ON audit_retirement"),
    ]
