"""Django and the log, set up once, when the first command is to run: help pages go without."""


def set_up() -> None:
    """Read the settings, load the models, set up the log. Does nothing where Django is ready.

    Raises:
        ImproperlyConfigured: a setting is wrong.
    """
    from django.apps import apps
    from django.conf import settings

    if apps.ready:
        return
    apps.populate(settings.INSTALLED_APPS)  # django.setup() would also import the URL resolver and all of django.http
    from newsletter import wiring
    from newsletter.lib import log_setup

    # commands speak for themselves: what the service tells its log on the way is for those who asked for more
    level = wiring.config().log_level
    log_setup.configure("WARNING" if level == "INFO" else level)
