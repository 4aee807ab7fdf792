"""The wish to stop: shared with forks, and a SIGTERM waits for what has begun."""

import os
import signal
import threading
import time

import pytest

from newsletter.lib.shutdown import Stopping


def test_it_is_seen_by_children_and_taken_back() -> None:
    stopping = Stopping()
    pid = os.fork()
    if not pid:
        stopping.set()
        os._exit(0)
    os.waitpid(pid, 0)
    assert stopping.is_set()
    stopping.clear()
    assert not stopping.is_set()


@pytest.mark.parametrize("busy", [True, False])
def test_a_child_finishes_what_it_began_before_a_sigterm_ends_it(busy: bool) -> None:
    stopping = Stopping()
    ready, written = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            stopping.obey_sigterm()
            if busy:
                with stopping.finishing():
                    os.write(written, b"a")
                    time.sleep(0.3)
                    os.write(written, b"b" if stopping.is_set() else b"?")
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
    assert not stopping.is_set(), "one child's end is nobody else's"


def test_leaving_waits_for_threads() -> None:
    stopping = Stopping()
    begun, go = threading.Event(), threading.Event()

    def work() -> None:
        with stopping.finishing():
            begun.set()
            go.wait()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    assert not stopping.leave(0.05)
    go.set()
    assert stopping.leave(10)
    assert stopping.is_set()
    thread.join()
