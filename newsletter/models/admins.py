"""Tables of the admins room: who may sign in to the desk."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower


class AdminManager(BaseUserManager["Admin"]):
    """Finds an admin by name, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "Admin":
        return self.get(username__iexact=username)


class Admin(AbstractBaseUser):
    """Somebody who signs in to the desk, by name: there is no address. Django's user model (`AUTH_USER_MODEL`)."""

    class Role(models.TextChoices):
        """What an admin may see and do."""

        #: Feeds, topics, items and mailings; never a person.
        EDITOR = "editor"
        #: Everything.
        OWNER = "owner"

    username = models.TextField(unique=True)
    role = models.TextField(choices=Role, default=Role.EDITOR)
    #: The right to send messages, which an owner gives to an editor.
    may_send = models.BooleanField(default=False)
    #: IANA name of the zone in which the desk shows times.
    time_zone = models.TextField(default="UTC")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    #: SHA-256 of the token of the link that sets the password; None: there is none.
    link_hash = models.BinaryField(null=True, unique=True)
    link_expires_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "username"
    objects = AdminManager()

    class Meta:
        db_table = "admin"
        constraints: ClassVar = [models.UniqueConstraint(Lower("username"), name="admin_name_once")]

    @property
    def is_owner(self) -> bool:
        """Whether they may do everything."""
        return self.role == Admin.Role.OWNER

    @property
    def sends(self) -> bool:
        """Whether they may send messages."""
        return self.is_owner or self.may_send


class SharedCache(models.Model):
    """The table of Django's database cache (settings.CACHES), which counts failed sign-ins for all processes."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "shared_cache"
