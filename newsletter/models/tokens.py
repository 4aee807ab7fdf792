"""Tokens of the API."""

from typing import ClassVar

from django.db import models


class ApiToken(models.Model):
    """A token of the API. Only a hash of it is stored: whoever reads this table can use none."""

    class Scope(models.TextChoices):
        """What a token allows."""

        READ = "read"
        #: Topics: change, hold, release.
        TOPICS = "topics"
        #: Feeds and items: change and publish.
        ITEMS = "items"
        #: Gates and deliveries: pause, resume, resend.
        SENDING = "sending"
        #: Subscribers and suppressions, one address at a time. A token with it has no other scope.
        PEOPLE = "people"

    id = models.AutoField(primary_key=True)
    name = models.TextField(unique=True)
    #: The beginning of the token, by which it is found.
    prefix = models.TextField(unique=True)
    #: SHA-256 of the whole token, which holds 32 random bytes.
    token_hash = models.BinaryField()
    scopes = models.JSONField()
    made_by = models.TextField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    #: To the minute.
    last_used_at = models.DateTimeField(null=True)
    #: The minute of the last request, since 1970, and how many requests were in it.
    minute = models.BigIntegerField(default=0)
    in_minute = models.IntegerField(default=0)

    class Meta:
        db_table = "api_token"
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="token_expiry")]


class KeyedAnswer(models.Model):
    """What was answered to a request with an `Idempotency-Key`, so that the same request is not carried out twice."""

    id = models.BigAutoField(primary_key=True)
    token = models.ForeignKey(ApiToken, models.CASCADE, db_index=False)
    #: SHA-256 of the key, and of the request.
    key_hash = models.BinaryField()
    request_hash = models.BinaryField()
    at = models.DateTimeField(db_index=True)
    #: 0 while the request is carried out.
    status = models.IntegerField(default=0)
    body = models.TextField(default="")

    class Meta:
        db_table = "keyed_answer"
        constraints: ClassVar = [models.UniqueConstraint(fields=["token", "key_hash"], name="answer_once")]
