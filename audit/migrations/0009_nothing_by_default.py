from django.db import migrations, models

EMPTY = {"actor_name": "job", "case_label": "kind of case", "object_label": "kind of object", "purpose": "purpose"}


class Migration(migrations.Migration):
    """The parent's defaults hold for whatever is written through it; its months belong to their keeper already."""

    dependencies = [
        ("audit", "0008_reading_order"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    f"ALTER TABLE ONLY audit_entry ALTER COLUMN {name} SET DEFAULT ''",
                    f"ALTER TABLE ONLY audit_entry ALTER COLUMN {name} DROP DEFAULT",
                )
            ],
            [migrations.AlterField("entry", name, models.CharField(blank=True, db_default="", max_length=80, verbose_name=verbose_name))],
        )
        for name, verbose_name in EMPTY.items()
    ]
