from django.db import migrations, models

import audit.fields

MAKE_TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_cosignature
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE audit_cosignature ENABLE ALWAYS TRIGGER append_only
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_partitions")]

    operations = [
        migrations.CreateModel(
            name="Cosignature",
            fields=[
                ("pk", models.CompositePrimaryKey("size", "witness", blank=True, editable=False, primary_key=True, serialize=False)),
                ("size", models.BigIntegerField(verbose_name="entries")),
                ("witness", models.CharField(max_length=200, verbose_name="witness")),
                ("line", models.TextField(verbose_name="signature line")),
                ("collected_at", models.DateTimeField(db_default=audit.fields.ClockTimestamp(), verbose_name="collected at")),
            ],
            options={"verbose_name": "cosignature", "verbose_name_plural": "cosignatures"},
        ),
        migrations.CreateModel(
            name="Publication",
            fields=[
                ("name", models.CharField(max_length=400, primary_key=True, serialize=False, verbose_name="place")),
                ("size", models.BigIntegerField(default=0, verbose_name="entries there")),
                ("tried_at", models.DateTimeField(verbose_name="tried at")),
                ("behind_since", models.DateTimeField(null=True, verbose_name="behind since")),
                ("error", models.CharField(blank=True, max_length=80, verbose_name="error")),
                ("finding", models.TextField(blank=True, verbose_name="finding")),
            ],
            options={"verbose_name": "publication", "verbose_name_plural": "publications"},
        ),
        migrations.RunSQL(MAKE_TRIGGER, "DROP TRIGGER append_only ON audit_cosignature"),
    ]
