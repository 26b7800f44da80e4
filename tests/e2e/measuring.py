"""What a process costs, as the kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path

_KIB_A_PAGE = os.sysconf("SC_PAGESIZE") // 1024


def used_s(pid: int) -> float:
    """Processor time that it has had, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid: int) -> int:
    """Memory it holds now (RSS), in KiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _KIB_A_PAGE


def peak_kib(pid: int) -> int:
    """The most it ever held, in KiB."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1])
