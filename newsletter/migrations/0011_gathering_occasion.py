"""An old occasion is deleted when nothing was gathered for it: asked by the occasion."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0010_ledger")]

    operations = [
        migrations.AddIndex("gathering", models.Index(fields=["occasion"], name="gathering_occasion")),
    ]
