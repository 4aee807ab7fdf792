"""Tables of the delivery room: who sends (worker), what (batch, delivery, delivery_item), what came of it (attempt, event,
soft_bounce), and what decides on it (gate, provider_gate, route, breaker, pulse).
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from newsletter.models.states import (
    AttemptOutcome,
    BatchState,
    ClosedFor,
    DeliveryState,
    Lane,
    NotBegun,
    ResendRule,
)


class Worker(models.Model):
    """A process that sends. All times are read from the database's clock."""

    id = models.UUIDField(primary_key=True)
    host = models.TextField()
    pid = models.IntegerField()
    version = models.TextField()
    started_at = models.DateTimeField()
    #: Its last heartbeat.
    seen_at = models.DateTimeField()
    #: When another process noticed that heartbeats are missing; the next heartbeat clears it.
    missed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "worker"


class Batch(models.Model):
    """Deliveries handed over together, with their state."""

    id = models.BigAutoField(primary_key=True)
    provider = models.SmallIntegerField()
    lane = models.SmallIntegerField(choices=Lane)
    #: What its mails are for: occasions of one lane take turns. 0: a notice, or from before turns were taken.
    occasion_id = models.IntegerField(default=0, db_default=0)
    #: `not_before` was set by the pace of a domain. Such mails of an occasion take turns too, else they would go last of all.
    paced = models.BooleanField(default=False, db_default=False)
    state = models.TextField(choices=BatchState, default=BatchState.PLANNED)
    not_before = models.DateTimeField()
    #: Who claimed it.
    token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    #: The process that holds it. NULL: nobody, or a process without a heartbeat, for which only the lease counts. A trigger
    #: clears it whenever the batch is neither claimed nor sending.
    worker = models.ForeignKey(Worker, models.DO_NOTHING, null=True, db_constraint=False, db_index=False)
    #: Hand-overs begun.
    attempts = models.SmallIntegerField(default=0)
    #: The mails in it, whatever became of each; one that moves to another batch counts there.
    size = models.IntegerField()
    #: Delivery ids up to this one may have left (SMTP window); None: no window was opened.
    begun_upto = models.BigIntegerField(null=True)
    #: Outcomes up to this delivery id are written.
    done_upto = models.BigIntegerField(null=True)
    #: In words, for operators; nothing is decided by it.
    reason = models.TextField(null=True)
    #: While it is parked: since when somebody keeps it back. None: it is parked for another reason.
    held_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "batch"
        indexes: ClassVar = [
            # the sums of a mailing
            models.Index(fields=["occasion_id", "state", "held_at", "size"], name="batch_occasion"),
            models.Index(
                fields=["provider", "lane", "occasion_id", "paced", "not_before", "id"],
                condition=Q(state="planned"),
                name="batch_turns",
            ),
            models.Index(fields=["lease_until"], condition=Q(state__in=["claimed", "sending"]), name="batch_leased"),
            models.Index(
                fields=["state"], condition=Q(state__in=["unknown", "parked", "failed"]), name="batch_doubtful"
            ),
        ]


class Delivery(models.Model):
    """An edition owed to one subscriber. Its state is `coalesce(delivery.state, batch.state)`."""

    id = models.BigAutoField(primary_key=True)
    occasion = models.ForeignKey("newsletter.Occasion", models.DO_NOTHING, db_constraint=False, db_index=False)
    subscriber = models.ForeignKey("newsletter.Subscriber", models.DO_NOTHING, db_constraint=False, db_index=False)
    edition = models.ForeignKey("newsletter.Edition", models.DO_NOTHING, db_constraint=False, db_index=False)
    batch = models.ForeignKey(Batch, models.DO_NOTHING, db_constraint=False, db_index=False)
    state = models.TextField(choices=DeliveryState, null=True)
    #: In words, for operators; nothing is decided by it.
    reason = models.TextField(null=True)
    #: The enhanced status code (RFC 3463) with which a server refused this recipient for good, empty where it gave none.
    #: None: nobody did.
    recipient_status = models.TextField(null=True)

    class Meta:
        db_table = "delivery"
        constraints: ClassVar = [models.UniqueConstraint(fields=["occasion", "subscriber"], name="delivery_once")]
        indexes: ClassVar = [
            models.Index(fields=["batch"], name="delivery_batch"),
            models.Index(fields=["state", "batch"], condition=Q(state__isnull=False), name="delivery_exception"),
            models.Index(fields=["batch", "state"], condition=Q(state__isnull=False), name="delivery_own_state"),
        ]


class DeliveryItem(models.Model):
    """An item mailed to a person, at most once. Never inserted with ignore-conflicts."""

    pk = models.CompositePrimaryKey("item_id", "subscriber_id")
    item = models.ForeignKey("newsletter.Item", models.DO_NOTHING, db_constraint=False, db_index=False)
    subscriber = models.ForeignKey("newsletter.Subscriber", models.DO_NOTHING, db_constraint=False, db_index=False)
    version = models.SmallIntegerField()

    class Meta:
        db_table = "delivery_item"


class Attempt(models.Model):
    """One attempt to hand a batch over. A second is possible only if the first is disproved, or waived by an operator."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, models.CASCADE, db_index=False)
    n = models.SmallIntegerField()
    provider = models.SmallIntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    #: What was said of it, in words, for operators; nothing is decided by it.
    phase = models.TextField(null=True)
    outcome = models.TextField(choices=AttemptOutcome, null=True)
    #: None: the provider was asked.
    not_begun = models.TextField(choices=NotBegun, null=True)
    provider_ref = models.TextField(null=True)
    disproved = models.BooleanField(default=False)
    waived_by = models.TextField(null=True)

    class Meta:
        db_table = "attempt"
        indexes: ClassVar = [
            models.Index(fields=["ended_at"], name="attempt_ended"),
            models.Index(fields=["began_at"], name="attempt_began"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "n"], name="attempt_number"),
            models.UniqueConstraint(
                fields=["batch"], condition=Q(disproved=False, waived_by__isnull=True), name="attempt_open_once"
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_ref"], condition=Q(provider_ref__isnull=False), name="attempt_ref_once"
            ),
        ]


class Event(models.Model):
    """A fact about one delivery: a provider's report, or an act of ours."""

    id = models.BigAutoField(primary_key=True)
    fingerprint = models.BinaryField(unique=True)
    delivery_id = models.BigIntegerField()
    batch_id = models.BigIntegerField(null=True)
    kind = models.TextField()
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    #: A code, or an operator's words; nothing is decided by it.
    detail = models.TextField(default="")
    #: Which rule of ours did it; None: an operator, or a provider.
    rule = models.TextField(choices=ResendRule, null=True)

    class Meta:
        db_table = "event"
        indexes: ClassVar = [
            models.Index(fields=["delivery_id"], name="event_delivery"),
            # few among millions, and counted often
            models.Index(
                fields=["kind", "received_at"],
                condition=Q(kind__in=["bounce", "soft bounce", "complaint", "unsubscribe"]),
                name="event_unwelcome",
            ),
        ]


class SoftBounce(models.Model):
    """A soft bounce since the last delivered mail; kept longer than its event, for weekly readers."""

    delivery_id = models.BigIntegerField(primary_key=True)
    subscriber = models.ForeignKey("newsletter.Subscriber", models.CASCADE)
    at = models.DateTimeField()

    class Meta:
        db_table = "soft_bounce"


class Gate(models.Model):
    """One row: whether mail may be sent, and values that prove that the keys fit the data."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    installation_epoch = models.UUIDField()
    sending_open = models.BooleanField(default=True)
    #: Who or what closed it, in words.
    paused_by = models.TextField(null=True)
    #: Which of the reasons that is; None while it is open.
    closed_for = models.TextField(choices=ClosedFor, null=True)
    #: When it was last opened by hand: what went wrong before is not held against sending again.
    opened_at = models.DateTimeField(null=True)
    #: A known word under the address key, and one under the index and token keys: wrong keys are noticed at start.
    check_key_id = models.SmallIntegerField()
    check_cipher = models.BinaryField()
    check_index = models.BinaryField()
    check_token = models.TextField()
    #: Moves on while the service works, and is kept beside the keys too: a database that is behind was restored.
    mark = models.BigIntegerField(default=0)

    class Meta:
        db_table = "gate"
        constraints: ClassVar = [models.CheckConstraint(name="gate_one", condition=Q(id=1))]


class ProviderGate(models.Model):
    """Whether one provider may be used; without a row it was never paused."""

    provider = models.SmallIntegerField(primary_key=True)
    #: Who or what closed it, in words; None: open.
    paused_by = models.TextField(null=True)
    paused_at = models.DateTimeField(null=True)
    #: True: an operator closed it by name, and only an operator's word by name opens it.
    by_hand = models.BooleanField(default=False)
    #: When it was last opened: what went wrong before is not held against it again.
    opened_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "provider_gate"


class Route(models.Model):
    """The share of a recipient domain's people (`*`: of all others) that a provider mails."""

    domain = models.TextField(primary_key=True)
    provider = models.SmallIntegerField()
    #: Percent of the people; the rest goes to the other provider.
    share = models.SmallIntegerField(default=100)

    class Meta:
        db_table = "route"
        constraints: ClassVar = [
            models.CheckConstraint(name="route_share", condition=Q(share__gte=0, share__lte=100)),
        ]


class Breaker(models.Model):
    """Consecutive unknown outcomes of a provider. While open, it gets one mail now and then."""

    provider = models.SmallIntegerField(primary_key=True)
    in_a_row = models.IntegerField(default=0)
    #: None: closed. Past: the next claim is a probe.
    open_until = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    #: Probes that failed since.
    probes = models.IntegerField(default=0)

    class Meta:
        db_table = "breaker"


class Pulse(models.Model):
    """Times by name: `tick` is when the tables were last watched; others are leases and warnings."""

    name = models.TextField(primary_key=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "pulse"
