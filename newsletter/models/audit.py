"""The audit log: one row for each change that somebody, or a rule, made."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class AuditEntry(models.Model):
    """A change: who, when, what, before and after. Append-only by trigger (migration 0022)."""

    class ActorKind(models.TextChoices):
        """How the change came."""

        ADMIN = "admin"
        COMMAND = "command"
        API = "api"
        RULE = "rule"

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor_kind = models.TextField(choices=ActorKind)
    #: An admin's name, the operating system's user, a token's name, or a rule's.
    actor = models.TextField()
    #: No foreign key: the row outlives the account.
    admin_id = models.IntegerField(null=True)
    #: What was done, such as `topic.hold`.
    action = models.TextField()
    #: To what: feed, topic, item, mailing, message, delivery, provider, subscriber, suppression, admin, token, sending.
    object_kind = models.TextField()
    object_id = models.BigIntegerField(null=True)
    #: Its name at that time; empty for people.
    object_name = models.TextField(default="")
    #: Columns that changed, with their values. Never an address or a reader's keyword.
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    #: As typed.
    reason = models.TextField(default="")

    class Meta:
        db_table = "audit_entry"
        indexes: ClassVar = [
            models.Index(fields=["object_kind", "object_id", "id"], name="audit_object"),
            models.Index(fields=["actor", "id"], name="audit_actor"),
            models.Index(fields=["at"], name="audit_at"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="audit_reason_no_address", condition=~Q(reason__contains="@")),
        ]
