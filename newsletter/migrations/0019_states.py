"""State in columns: what a decision rests on has a code of its own, beside the words for operators (decision 0041).

A worker of an older version goes on while this is rolled out: it knows none of the new columns, and writes the words that
its own version has. The database translates these into codes (the triggers below) as they are written. They hold the words
of that version and no later ones: what is reworded since is written with its code.
"""

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

PACED = "NEW.occasion_id < 0 OR (NEW.reason = 'waits for its pace' AND NEW.state = 'planned' AND NOT NEW.paced)"
NOT_BEGUN = {
    "its wording is gone, or does not open": "wording",
    "not begun: the database did not answer": "database",
    "not begun: the worker was held up": "held up",
}
CASES = " ".join(f"WHEN '{words}' THEN '{code}'" for words, code in NOT_BEGUN.items())
REFUSED = "NEW.state = 'failed' AND NEW.recipient_status IS NULL AND NEW.reason LIKE 'RCPT: 5%'"
URGENT = "NEW.kind = 'retried' AND NEW.rule IS NULL AND NEW.detail LIKE 'rule: urgent%'"
RESTORED = "this data looks restored or copied%"
GATE = f"(NEW.paused_by IS NULL OR NEW.paused_by LIKE '{RESTORED}')"
GATE_CODE = "CASE WHEN NEW.paused_by IS NULL THEN NULL ELSE 'restored' END"
UNKNOWN_PHASE = f"NEW.not_begun IS NULL AND CASE NEW.phase {CASES} END IS NOT NULL"

# (table, when, condition, what PostgreSQL assigns, what SQLite sets)
POSTGRES = (
    ("batch", "INSERT OR UPDATE OF occasion_id, reason", PACED, "NEW.paced = true; NEW.occasion_id = abs(NEW.occasion_id)"),
    ("attempt", "INSERT OR UPDATE OF phase", UNKNOWN_PHASE, f"NEW.not_begun = CASE NEW.phase {CASES} END"),
    # "RCPT: 550 5.1.1": the code of the reply, then the enhanced one, where there is one
    ("delivery", "UPDATE OF reason", REFUSED, "NEW.recipient_status = substr(NEW.reason, 11)"),
    ("event", "INSERT", URGENT, "NEW.rule = 'urgent'"),
    ("gate", "UPDATE OF paused_by", f"NEW.closed_for IS NOT DISTINCT FROM OLD.closed_for AND {GATE}", f"NEW.closed_for = {GATE_CODE}"),
)
SQLITE = (
    ("batch", ("INSERT", "UPDATE OF occasion_id, reason"), PACED, "paced = 1, occasion_id = abs(NEW.occasion_id)"),
    ("attempt", ("INSERT", "UPDATE OF phase"), UNKNOWN_PHASE, f"not_begun = CASE NEW.phase {CASES} END"),
    ("delivery", ("UPDATE OF reason",), REFUSED, "recipient_status = substr(NEW.reason, 11)"),
    ("event", ("INSERT",), URGENT, "rule = 'urgent'"),
    ("gate", ("UPDATE OF paused_by",), f"NEW.closed_for IS OLD.closed_for AND {GATE}", f"closed_for = {GATE_CODE}"),
)


def install(apps, schema_editor):
    """The translations; on SQLite also the triggers that were forgotten when the table of batches was made anew."""
    remove(apps, schema_editor)
    if schema_editor.connection.vendor == "postgresql":
        for table, when, condition, assigned in POSTGRES:
            schema_editor.execute(
                f"CREATE OR REPLACE FUNCTION {table}_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"{assigned}; RETURN NEW; END $$",
                params=None,
            )
            schema_editor.execute(
                f"CREATE TRIGGER {table}_words BEFORE {when} ON {table} FOR EACH ROW "
                f"WHEN ({condition}) EXECUTE FUNCTION {table}_words()",
                params=None,
            )
        return
    import_module("newsletter.migrations.0002_transitions").install(apps, schema_editor)
    worker = import_module("newsletter.migrations.0013_worker")
    worker.remove(apps, schema_editor)
    worker.install(apps, schema_editor)
    for table, times, condition, values in SQLITE:
        for place, when in enumerate(times):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_words_{place} AFTER {when} ON {table} WHEN {condition} "
                f"BEGIN UPDATE {table} SET {values} WHERE id = NEW.id; END",
                params=None,
            )


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, *_ in POSTGRES:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_words ON {table}", params=None)
        return
    for table, times, *_ in SQLITE:
        for place, _ in enumerate(times):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_words_{place}", params=None)


def short(*codes):
    """A column of one of these codes, or of none."""
    return models.TextField(choices=[(code, code.title()) for code in codes], null=True)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0018_left_over")]

    operations = [
        migrations.AddField("batch", "paced", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("delivery", "recipient_status", models.TextField(null=True)),
        migrations.AddField("attempt", "not_begun", short("wording", "database", "held up")),
        migrations.AddField("event", "rule", short("urgent")),
        migrations.AddField("gate", "closed_for", short("operator", "reputation", "restored")),
        migrations.RemoveIndex("batch", "batch_turns"),
        migrations.AddIndex(
            "batch",
            models.Index(
                fields=["provider", "lane", "occasion_id", "paced", "not_before", "id"],
                condition=Q(state="planned"),
                name="batch_turns",
            ),
        ),
        # a worker of an older version still names the column: it goes with a later one
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("batch", "domain")]),
        migrations.AlterField(
            "attempt",
            "outcome",
            models.TextField(
                choices=[
                    ("accepted", "Accepted"),
                    ("failed", "Failed"),
                    ("unknown", "Unknown"),
                    ("deferred", "Deferred"),
                    ("split", "Split"),
                    ("nobody left to mail", "Empty"),
                ],
                null=True,
            ),
        ),
        migrations.AlterField(
            "subscription",
            "ended_reason",
            models.TextField(
                choices=[
                    ("reader", "Reader"),
                    ("one-click", "One Click"),
                    ("provider", "Provider"),
                    ("retired", "Retired"),
                ],
                null=True,
            ),
        ),
        migrations.AlterField(
            "suppression",
            "reason",
            models.TextField(
                choices=[
                    ("soft bounces", "Soft"),
                    ("bounce", "Bounce"),
                    ("left", "Left"),
                    ("unsubscribe", "Unsubscribe"),
                    ("admin", "Admin"),
                    ("complaint", "Complaint"),
                    ("erased", "Erased"),
                ]
            ),
        ),
        migrations.RunPython(install, remove),
    ]
