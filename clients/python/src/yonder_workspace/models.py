"""What calls answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


@dataclass(frozen=True)
class CommandResult:
    """What became of a command, with the first and the last bytes that it printed; callbacks see all of them."""

    command: str
    #: The exit status; minus the signal's number where one ended it; -1 for a timeout and whatever else is no exit.
    exit_code: int
    stdout: str
    stderr: str
    timeout_occurred: bool
    #: Why it ended: "EXITED", "TIMED_OUT", "SIGNALED" and so on, as the contract's EndReason names it.
    reason: str = "EXITED"
    duration: float = 0.0
    #: How many bytes of output are not in `stdout` and `stderr`, since it was more than `max_output_bytes` of a stream.
    truncated: int = 0
    #: The id under which the workspace knows it.
    exec_id: str = ""


@dataclass(frozen=True)
class FileOperationResult:
    """What became of an upload or a download."""

    success: bool
    source_path: str
    destination_path: str
    file_size: int | None = None
    error: str | None = None


class GitChangeStatus(str, Enum):
    """What happened to a path."""

    MOVED = "MOVED"
    ADDED = "ADDED"
    DELETED = "DELETED"
    UPDATED = "UPDATED"


@dataclass(frozen=True)
class GitChange:
    """A path that differs from the base."""

    status: GitChangeStatus
    path: Path
    #: Where it was before; set with MOVED alone.
    old_path: Path | None = None


@dataclass(frozen=True)
class GitDiff:
    """A file before and now; None where there was none, or is none, or it is binary."""

    modified: str | None
    original: str | None
    binary: bool = False
