from django.db import migrations, models

#: What the fetches of the last month tell; of a feed that failed for longer, the first of them.
FROM_FETCHES = """
UPDATE feed SET
  read_at = (SELECT max(f.at) FROM "fetch" f WHERE f.feed_id = feed.id AND f.error = ''),
  failing_since = CASE WHEN failures > 0 THEN (
    SELECT min(f.at) FROM "fetch" f WHERE f.feed_id = feed.id AND f.error <> ''
      AND f.id > coalesce((SELECT max(g.id) FROM "fetch" g WHERE g.feed_id = feed.id AND g.error = ''), 0)) END
"""


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0022_admins_and_audit'),
    ]

    operations = [
        migrations.AddField(
            model_name='feed',
            name='backfill_due_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='feed',
            name='backfill_error',
            field=models.TextField(db_default='', default=''),
        ),
        migrations.AddField(
            model_name='feed',
            name='backfill_items',
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='feed',
            name='backfill_state',
            field=models.TextField(choices=[('', 'None'), ('waiting', 'Waiting'), ('more', 'More'), ('finished', 'Finished'), ('met', 'Met'), ('failed', 'Failed'), ('stopped', 'Stopped')], db_default='', default=''),
        ),
        migrations.AddField(
            model_name='feed',
            name='backfill_until',
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='feed',
            name='failing_since',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='feed',
            name='read_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['feed', 'published_at'], name='entry_published'),
        ),
        migrations.AddIndex(
            model_name='feed',
            index=models.Index(condition=models.Q(('backfill_due_at__isnull', False)), fields=['backfill_due_at'], name='feed_backfill_due'),
        ),
        migrations.RunSQL(FROM_FETCHES, migrations.RunSQL.noop),
    ]
