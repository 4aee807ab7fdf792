"""The parts of the service as threads of one process: web server, Celery worker and beat."""

import contextlib
import fcntl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from newsletter import wiring
from newsletter.cli.admins.greeting import say_where_the_desk_is
from newsletter.cli.output import fail, note
from newsletter.cli.service.http_server import Application, HTTPServer, metrics_only
from newsletter.cli.service.outbox_place import outbox_place
from newsletter.cli.service.signals import until_signal
from newsletter.lib import db, log_setup
from newsletter.providers.sendgrid import webhook
from newsletter.worker.signals import end_sending
from newsletter.worker.startup import wait_until_joined


class Web:
    """The web pages, and /metrics on a listener of its own where one is set. No access log: paths hold tokens."""

    def __init__(self) -> None:
        from django.core.wsgi import get_wsgi_application
        from django.urls import reverse

        from newsletter.feeds.catalogue.opml_import import LARGEST_BODY

        config = wiring.config()
        pages = get_wsgi_application()
        large = {reverse("sendgrid_events"): webhook.LARGEST} if config.sendgrid_webhook_keys else {}
        if config.desk:
            large[reverse("desk_feeds_import")] = LARGEST_BODY
        self._servers = [_listen("BIND", pages, config.bind, threads=8, large_bodies=large)]
        if config.metrics_bind is not None:
            self._servers.append(_listen("METRICS_BIND", metrics_only(pages), config.metrics_bind, threads=1))

    def run_alone(self) -> None:
        """Serve until a signal."""
        log_setup.configure(wiring.config().log_level)
        note(f"web pages: {wiring.config().base_url}  (Ctrl-C ends)")
        with until_signal() as stopped:
            self.start()
            wait_until_joined(stopped)
            stopped.wait()
        self.stop()

    def start(self) -> None:
        """Serve in threads, and read the newest articles meanwhile, so that nobody who tries a keyword waits for that."""
        wiring.item_index().catch_up_in_background(now=db.now())
        for server in self._servers:
            threading.Thread(target=server.run, name="web", daemon=True).start()

    def stop(self) -> None:
        """Stop listening, and let go of what is idle."""
        for server in self._servers:
            server.close()


def _listen(setting: str, application: Application, bind: tuple[str, int], **options: Any) -> HTTPServer:
    host, port = bind
    try:
        return HTTPServer(application, host, port, **options)
    except OSError as error:
        fail(f"cannot listen on {host}:{port} ({(error.strerror or '').lower()}): choose another NEWSLETTER_{setting}")


class Service:
    """Everything in one process. `beside` is started with it and may run anything of its own, until its event is set."""

    def __init__(self, beside: Callable[[threading.Event], None] | None = None, *, seconds: float = 0) -> None:
        self._beside = beside
        self._seconds = seconds

    def run(self) -> None:
        """Start all parts, say where they are, and stop them on a signal."""
        config = wiring.config()
        log_setup.configure(config.log_level)
        with _only_one(config.data_dir):
            web = Web()
            with until_signal() as stopped:
                web.start()
                _greet(own_data=self._beside is None)
                parts = _Bells()
                parts.start()
                if self._beside is not None:
                    threading.Thread(target=self._beside, args=(stopped,), name="beside", daemon=True).start()
                stopped.wait(self._seconds or None)
                stopped.set()
            note("stopping …")
            web.stop()
            parts.stop()


def beat_service(app: Any) -> Any:
    """Beat with the scheduler of the settings. By default it would keep a file in the folder where it was started."""
    import celery.beat

    return celery.beat.Service(app, max_interval=1, scheduler_cls=app.conf.beat_scheduler)


class _Bells:
    """Worker and beat on the broker of the settings; the worker's start also starts its own look at the tables."""

    def __init__(self) -> None:
        from newsletter.worker.tasks import app

        self._app = app
        self._worker: Any = None
        self._beat: Any = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads."""
        app = self._app
        app.loader.import_default_modules()
        self._worker = app.WorkController(
            app=app, pool_cls="threads", concurrency=4, loglevel="WARNING", without_heartbeat=True
        )
        self._beat = beat_service(app)
        for name, target in (
            ("worker", self._worker.start),
            ("beat", lambda: self._beat.start(embedded_process=False)),
        ):
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop ringing, and let what has left come to its end; the tables remember the rest."""
        wiring.shutdown.set()
        self._beat.stop(wait=False)
        stopping = threading.Thread(target=self._worker.stop, daemon=True)
        stopping.start()
        stopping.join(timeout=3)
        end_sending()


def _greet(*, own_data: bool) -> None:
    """Say where everything is. What to do with data is left out for a demo's."""
    config = wiring.config()
    outbox = f"written to files, nothing is sent: {outbox_place()}"
    keys = config.data_dir / "keys"
    note(f"web pages: {config.base_url}")
    note(f"mails:     {outbox if config.mail_kind == 'outbox' else f'sent by {config.mail_kind}'}")
    if own_data:
        say_where_the_desk_is()
    if own_data and keys.exists():
        note(f"keep a copy of {keys}: without it no stored address can ever be read again")
    if own_data:
        note("Add feeds, topics and subscribers in another terminal: see 'newsletter --help'. Ctrl-C ends the service.")


@contextlib.contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """One service per data directory: a second would serve the same people from the same port of another machine's view."""
    with (directory / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fail(f"a service runs with {directory} already: stop it, or set another NEWSLETTER_DATA_DIR")
        yield
