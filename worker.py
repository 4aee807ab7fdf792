"""The deployer's entry for `celery -A worker …`: the app, nothing else."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")

from newsletter.tasks import app

__all__ = ["app"]
