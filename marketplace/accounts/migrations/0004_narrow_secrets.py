"""Staff close accounts and count recovery codes without a right to what is secret in them."""

from django.db import migrations, models

ON_CLOSING = """
CREATE FUNCTION accounts_forget_password() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.password := '!';
  RETURN NEW;
END $$;
CREATE TRIGGER closed_without_password BEFORE INSERT OR UPDATE ON accounts_user
FOR EACH ROW WHEN (NEW.closed_at IS NOT NULL) EXECUTE FUNCTION accounts_forget_password();
"""
NOT_ON_CLOSING = "DROP TRIGGER closed_without_password ON accounts_user; DROP FUNCTION accounts_forget_password()"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_blind_index_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="recoverycodes",
            name="codes_left",
            field=models.GeneratedField(
                db_persist=True, expression=models.Func("digests", function="cardinality"), output_field=models.IntegerField()
            ),
        ),
        migrations.RunSQL(ON_CLOSING, NOT_ON_CLOSING),
    ]
