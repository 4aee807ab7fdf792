from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0020_states_of_before")]

    operations = [
        migrations.AddField(
            model_name="topic",
            name="description",
            field=models.TextField(db_default="", default=""),
        ),
    ]
