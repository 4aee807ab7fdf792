"""Admins, and the audit log with the trigger that lets nobody change it."""

import django.db.models.functions.text
from django.db import migrations, models


def append_only(apps, schema_editor):
    """No row is changed, and none younger than two years is deleted."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'check_violation'; END $$",
            params=None,
        )
        schema_editor.execute(
            "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
            params=None,
        )
        schema_editor.execute(
            "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_entry FOR EACH ROW "
            "WHEN (OLD.at > now() - interval '2 years') EXECUTE FUNCTION audit_append_only()",
            params=None,
        )
    else:
        schema_editor.execute(
            "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit_entry FOR EACH ROW "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
            params=None,
        )
        schema_editor.execute(
            "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_entry FOR EACH ROW "
            "WHEN OLD.at > datetime('now', '-2 years') BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
            params=None,
        )


def remove_trigger(apps, schema_editor):
    on = " ON audit_entry" if schema_editor.connection.vendor == "postgresql" else ""
    for name in ("audit_no_update", "audit_no_delete"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}{on}", params=None)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0021_topic_description")]
    # their tables point at ours, and their own first migrations only ask for our first
    run_before = [("account", "0001_initial"), ("mfa", "0001_initial"), ("usersessions", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name='Admin',
            fields=[
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('username', models.TextField(unique=True)),
                ('role', models.TextField(choices=[('editor', 'Editor'), ('owner', 'Owner')], default='editor')),
                ('may_send', models.BooleanField(default=False)),
                ('time_zone', models.TextField(default='UTC')),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField()),
                ('link_hash', models.BinaryField(null=True, unique=True)),
                ('link_expires_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'admin',
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('username'), name='admin_name_once')],
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('actor_kind', models.TextField(choices=[('admin', 'Admin'), ('command', 'Command'), ('api', 'Api'), ('rule', 'Rule')])),
                ('actor', models.TextField()),
                ('admin_id', models.IntegerField(null=True)),
                ('action', models.TextField()),
                ('object_kind', models.TextField()),
                ('object_id', models.BigIntegerField(null=True)),
                ('object_name', models.TextField(default='')),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
                ('reason', models.TextField(default='')),
            ],
            options={
                'db_table': 'audit_entry',
                'indexes': [models.Index(fields=['object_kind', 'object_id', 'id'], name='audit_object'), models.Index(fields=['actor', 'id'], name='audit_actor'), models.Index(fields=['at'], name='audit_at')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason__contains', '@'), _negated=True), name='audit_reason_no_address')],
            },
        ),
        migrations.RunPython(append_only, remove_trigger),
    ]
