"""Keeps USE-3: checkpoints are sealed whole, and a verification says which stretch of the log it read."""

from django.db import migrations, models

from audit.checkpoints import row_seal


def seal_checkpoints(apps, schema_editor):
    """Those that stand already, once."""
    checkpoints = apps.get_model("audit", "Checkpoint").objects.using(schema_editor.connection.alias)
    schema_editor.execute("ALTER TABLE audit_checkpoint DISABLE TRIGGER append_only")
    for row in checkpoints.iterator(chunk_size=1000):
        checkpoints.filter(size=row.size).update(seal=row_seal(row))
    schema_editor.execute("ALTER TABLE audit_checkpoint ENABLE ALWAYS TRIGGER append_only")


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_publishing")]

    operations = [
        migrations.AddField(model_name="checkpoint", name="seal", field=models.BinaryField(max_length=32, null=True, verbose_name="seal")),
        migrations.RunPython(seal_checkpoints, migrations.RunPython.noop),
        migrations.AlterField(model_name="checkpoint", name="seal", field=models.BinaryField(max_length=32, verbose_name="seal")),
        migrations.AddField(
            model_name="verification",
            name="kind",
            field=models.CharField(
                choices=[("full", "the whole log"), ("since_last", "what is new"), ("month", "one month")],
                default="full",
                max_length=10,
                verbose_name="verified",
            ),
        ),
        migrations.AddField(
            model_name="verification", name="first_index", field=models.BigIntegerField(default=0, verbose_name="first place")
        ),
        migrations.AddField(
            model_name="verification", name="held_size", field=models.BigIntegerField(default=0, verbose_name="holds up to")
        ),
        migrations.AddField(
            model_name="verification", name="retired", field=models.BigIntegerField(default=0, verbose_name="of which retired")
        ),
    ]
