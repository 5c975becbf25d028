"""What the kernel says of a process (Linux: /proc)."""

from pathlib import Path


def is_alive(pid: int) -> bool:
    """True while the process runs; one that only waits to be collected is dead."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def command(pid: int) -> list[str]:
    """The process's command line; empty if there is none, or it is not ours to see."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode(errors="replace") for part in raw.split(b"\0") if part]
