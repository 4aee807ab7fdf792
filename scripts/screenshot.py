"""Make the pictures of the docs from a demo that runs here (`make screenshot`).

docs/screenshot.png: the first page and a mail, side by side. docs/desk/*.png: pages of the desk.
"""

import base64
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
TARGET = DOCS / "screenshot.png"
#: Pages of the desk by the name of their picture: where it is, and a link to follow there.
DESK = {
    "home": ("/desk/", None),
    "feeds": ("/desk/feeds/", None),
    "topic": ("/desk/topics/", "Uyghur"),
    "items": ("/desk/items/?words=Uyghur", None),
    "mailings": ("/desk/mailings/", None),
}
#: CSS pixels of each half.
WIDTH, HEIGHT = 640, 1000
#: Seconds until the demo has mailed something.
PATIENCE = 120


@contextlib.contextmanager
def demo() -> Iterator[tuple[str, Path]]:
    """A demo on a free port that has written mail: its address and its data directory."""
    with socket.socket() as probe, tempfile.TemporaryDirectory() as directory:
        probe.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{probe.getsockname()[1]}"
        probe.close()
        environment = os.environ | {"NEWSLETTER_DATA_DIR": directory, "NEWSLETTER_BIND": bind}
        command = [sys.executable, "-m", "newsletter", "demo"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                _wait_for_mail(f"http://{bind}")
                yield f"http://{bind}", Path(directory) / "demo"
            finally:
                process.terminate()


def _wait_for_mail(base: str) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{base}/outbox/") as page:  # noqa: S310
            if page.read().count(b".eml") >= 3:
                return
        time.sleep(0.5)
    raise SystemExit("newsletter: the demo mailed nothing: run './run.sh demo' and look at what it says")


def capture(browser: Browser, base: str) -> bytes:
    """The first page and the newest mail in one picture."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2)
    page.goto(base)
    left = page.screenshot()
    page.goto(f"{base}/outbox/")
    name = page.locator(".mails a").first.get_attribute("href")
    page.goto(f"{base}{name}/html")
    right = page.screenshot()
    halves = "".join(f'<img src="data:image/png;base64,{base64.b64encode(half).decode()}">' for half in (left, right))
    both = browser.new_page(viewport={"width": 2 * WIDTH + 2, "height": HEIGHT})
    style = f"body{{margin:0;display:flex;gap:2px;background:#ccc}}img{{width:{WIDTH}px;height:{HEIGHT}px}}"
    both.set_content(f"<style>{style}</style>{halves}")
    return both.screenshot()


def capture_desk(browser: Browser, base: str, data: Path) -> None:
    """Make an owner as an admin would, sign in, and picture the pages of `DESK`."""
    command = [sys.executable, "-m", "newsletter", "admin", "create", "maria", "--json"]
    created = subprocess.run(
        command, env=os.environ | {"NEWSLETTER_DATA_DIR": str(data)}, capture_output=True, text=True, check=True
    )
    password = secrets.token_urlsafe()
    page = browser.new_page(viewport={"width": 1280, "height": 860}, base_url=base)
    page.goto(urlsplit(json.loads(created.stdout)["link"]).path)
    for field in page.locator("main input[type=password]").all():
        field.fill(password)
    page.locator("main button").last.click()
    (DOCS / "desk").mkdir(exist_ok=True)
    for name, (path, link) in DESK.items():
        page.goto(path)
        if link:
            page.get_by_role("main").get_by_role("link", name=link, exact=True).first.click()
        page.screenshot(path=DOCS / "desk" / f"{name}.png")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/desk/")
    page.screenshot(path=DOCS / "desk" / "phone.png")


def main() -> None:
    """Write the pictures."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with demo() as (base, data), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        TARGET.write_bytes(capture(browser, base))
        capture_desk(browser, base, data)
        browser.close()


if __name__ == "__main__":
    main()
