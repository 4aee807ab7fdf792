"""The deployer's entry for `celery -A worker …`: the app, nothing else."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")

from django.core.exceptions import ImproperlyConfigured

try:
    from newsletter.worker.tasks import app
except ImproperlyConfigured as error:
    # one line instead of Celery's traceback
    raise SystemExit(f"newsletter: {error}") from None

__all__ = ["app"]
