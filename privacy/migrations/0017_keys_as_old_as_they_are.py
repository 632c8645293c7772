from django.db import migrations, models

from privacy.vault.models import real_now


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0016_kept_log"),
    ]

    operations = [
        migrations.AlterField("epoch", "started_at", models.DateTimeField(default=real_now)),
        migrations.AlterField("keyencryptionkey", "used_since", models.DateTimeField(default=real_now)),
        migrations.AlterField("subjectkey", "created_at", models.DateTimeField(default=real_now)),
        migrations.AlterField("clearing", "owed_at", models.DateTimeField(default=real_now)),
    ]
