"""A workspace on this machine: a server of our own as a child process."""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

from .aio import PathLike
from .errors import StartFailed
from .remote import RemoteWorkspace


class LocalWorkspace(RemoteWorkspace):
    """Starts `yonder serve` over a directory of this machine.

    It is ended by `close`, or with this program, however that ends. It listens on a socket that only this user can
    open. `server` is how the command is called here.
    """

    def __init__(
        self, working_dir: PathLike, *, server: Sequence[str] = ("yonder",), start_timeout: float = 30.0
    ) -> None:
        directory = Path(working_dir).resolve()
        directory.mkdir(parents=True, exist_ok=True)
        # The server removes it: nothing is left where this program is killed. Short, since it may have 107 bytes.
        socket = os.path.join(tempfile.gettempdir(), f"yonder-{secrets.token_urlsafe(8)}")
        command = [
            *server,
            "serve",
            f"--socket={socket}",
            f"--working-directory={directory}",
            # Its standard input ends with this program, even where that is killed.
            "--stop-with-stdin",
            "--log-level=warn",
        ]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        except OSError as error:
            raise StartFailed(f"{server[0]} cannot be started: {error}", "PROGRAM_NOT_FOUND", server[0]) from error
        # Also where nobody calls close.
        self._stop = weakref.finalize(self, stop, process)
        try:
            wait_until_listening(process, start_timeout)
        except BaseException:
            self._stop()
            raise
        super().__init__(f"unix:{socket}", directory)

    def pause(self) -> None:
        """Nothing to set aside."""

    def resume(self) -> None:
        """Nothing to take up again."""

    def close(self) -> None:
        """Ends the server with the commands that still run in it."""
        super().close()
        self._stop()


def wait_until_listening(process: subprocess.Popen[str], timeout: float) -> None:
    """Returns once the server says that it listens, and lets it print on."""
    said: list[str] = []
    listening = threading.Event()

    def read() -> None:
        for line in process.stdout or ():
            # The last lines are enough to say why it did not start.
            said[:] = [*said[-19:], line]
            if "listening" in line:
                listening.set()
        listening.set()

    threading.Thread(target=read, name="yonder-server-output", daemon=True).start()
    in_time = listening.wait(timeout)
    if in_time and any("listening" in line for line in said):
        return
    why = f"ended with {process.wait(5)}" if in_time else f"did not listen within {timeout} s"
    reason = "SERVER_EXITED" if in_time else "START_TIMED_OUT"
    raise StartFailed(f"the server {why}; it printed: {''.join(said).strip() or 'nothing'}", reason)


def stop(process: subprocess.Popen[str]) -> None:
    """The server ends its commands itself, in order."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
