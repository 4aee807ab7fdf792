"""The shutdown flag: shared with forks, and a SIGTERM waits for work in progress."""

import os
import signal
import threading
import time

import pytest

from newsletter.lib.shutdown import Shutdown


def test_flag_is_shared_with_children_and_can_be_cleared() -> None:
    shutdown = Shutdown()
    pid = os.fork()
    if not pid:
        shutdown.set()
        os._exit(0)
    os.waitpid(pid, 0)
    assert shutdown.is_set()
    shutdown.clear()
    assert not shutdown.is_set()


@pytest.mark.parametrize("busy", [True, False])
def test_sigterm_waits_for_work_in_progress(busy: bool) -> None:
    shutdown = Shutdown()
    ready, written = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            shutdown.handle_sigterm()
            if busy:
                with shutdown.in_progress():
                    os.write(written, b"a")
                    time.sleep(0.3)
                    os.write(written, b"b" if shutdown.is_set() else b"?")
            else:
                os.write(written, b"a")
            time.sleep(10)
            os.write(written, b"c")
        except SystemExit:
            os._exit(0)
        finally:
            os._exit(1)
    os.close(written)
    assert os.read(ready, 1) == b"a"
    os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert os.read(ready, 9) == (b"b" if busy else b"")
    os.close(ready)
    assert not shutdown.is_set(), "one child's SIGTERM stops no other process"


def test_drain_waits_for_threads() -> None:
    shutdown = Shutdown()
    begun, go = threading.Event(), threading.Event()

    def work() -> None:
        with shutdown.in_progress():
            begun.set()
            go.wait()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    assert not shutdown.drain(0.05)
    go.set()
    assert shutdown.drain(10)
    assert shutdown.is_set()
    thread.join()
