"""Figures of running processes, as Linux tells them: processor seconds, and the most memory they ever held."""

import os
from pathlib import Path


def family(pid: int) -> list[int]:
    """A process and all that it started and that still live."""
    found = [pid]
    for one in found:
        try:
            words = Path(f"/proc/{one}/task/{one}/children").read_text().split()
        except OSError:
            continue
        found.extend(int(word) for word in words)
    return found


def cpu(pid: int) -> float:
    """Processor seconds of a process, with those of its children that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """The most memory that a process held, in MB; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
