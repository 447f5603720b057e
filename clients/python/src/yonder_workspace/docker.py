"""A workspace in a container of its own."""

from __future__ import annotations

import hashlib
import secrets
import subprocess
import time
import weakref
from collections.abc import Mapping, Sequence

from ._owner import own_owner
from .aio import PathLike
from .errors import StartFailed
from .remote import RemoteWorkspace

#: The port on which the image's server listens.
SERVER_PORT = 8000


class DockerWorkspace(RemoteWorkspace):
    """Runs the server's image in a container, reachable from this machine alone, and removes it with `close`.

    The container is told the digest of a key that never leaves this program, so that nothing that a command can read
    there opens the workspace. `docker` is how the command-line client is called here, `run_options` are more options of
    its `run`.
    """

    def __init__(
        self,
        server_image: str = "yonder-workspace",
        working_dir: PathLike | None = None,
        *,
        host_port: int | None = None,
        volumes: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        run_options: Sequence[str] = (),
        docker: Sequence[str] = ("docker",),
        start_timeout: float = 120.0,
    ) -> None:
        key = secrets.token_urlsafe(32)
        start = secrets.token_hex(6)
        digest = hashlib.sha256(key.encode()).hexdigest()
        settings = {**(env or {}), "YONDER_SERVER_API_KEYS": f"sha256:{digest}"}
        arguments = [
            "run",
            "--detach",
            f"--publish=127.0.0.1:{host_port or ''}:{SERVER_PORT}",
            "--security-opt=no-new-privileges",
            "--label=dev.yonder.workspace=docker",
            # Where this program is killed, a sweep finds what it left.
            f"--label=dev.yonder.owner={own_owner()}",
            f"--label=dev.yonder.start={start}",
            *(f"--volume={volume}" for volume in volumes),
            *(f"--env={name}={value}" for name, value in settings.items()),
            *run_options,
            server_image,
        ]
        self._docker = tuple(docker)
        try:
            self.container_id = run(self._docker, *arguments)
        except StartFailed:
            # Docker leaves a container that it made and could not start: one whose port is taken, for example.
            for container in ids_of(self._docker, start):
                remove(self._docker, container)
            raise
        # Also where nobody calls close.
        self._stop = weakref.finalize(self, remove, self._docker, self.container_id)
        try:
            address = run(self._docker, "port", self.container_id, f"{SERVER_PORT}/tcp").splitlines()[0]
            super().__init__(f"http://{address}", working_dir, key)
            self._wait_until_serving(start_timeout)
        except BaseException:
            self._stop()
            raise

    def pause(self) -> None:
        """Freezes the container; time stands still for its commands."""
        run(self._docker, "pause", self.container_id)

    def resume(self) -> None:
        """Lets it go on."""
        run(self._docker, "unpause", self.container_id)

    def close(self) -> None:
        """Removes the container with all that is in it, but for its named volumes."""
        super().close()
        self._stop()

    def _wait_until_serving(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not self.alive:
            running = run(self._docker, "inspect", "--format={{.State.Running}}", self.container_id) == "true"
            if running and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            said = log(self._docker, self.container_id)
            why = f"did not serve within {timeout} s" if running else "ended"
            reason = "START_TIMED_OUT" if running else "SERVER_EXITED"
            super().close()
            raise StartFailed(f"container {self.container_id[:12]} {why}; it printed: {said}", reason)


def run(docker: Sequence[str], *arguments: str) -> str:
    """What docker prints. The digest in the arguments opens nothing, and its message does not repeat them."""
    try:
        done = subprocess.run([*docker, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError as error:
        raise StartFailed(f"{docker[0]} cannot be started: {error}", "PROGRAM_NOT_FOUND", docker[0]) from error
    if done.returncode != 0:
        raise failure(arguments, done.stderr.strip())
    return done.stdout.strip()


def failure(arguments: Sequence[str], said: str) -> StartFailed:
    if "Unable to find image" in said:
        image = arguments[-1]
        remedy = "build it in a clone of Yonder: docker build -t yonder-workspace ."
        return StartFailed(f"there is no image {image} ({remedy}); docker says: {said}", "IMAGE_NOT_FOUND", image)
    return StartFailed(f"docker {arguments[0]} failed: {said}", "ENGINE_FAILED", arguments[0])


def log(docker: Sequence[str], container: str) -> str:
    done = subprocess.run([*docker, "logs", "--tail=20", container], capture_output=True, text=True)
    return (done.stdout + done.stderr).strip() or "nothing"


def ids_of(docker: Sequence[str], start: str) -> list[str]:
    command = [*docker, "ps", "--all", "--quiet", f"--filter=label=dev.yonder.start={start}"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.split()
    except OSError:
        return []


def remove(docker: Sequence[str], container: str) -> None:
    subprocess.run([*docker, "rm", "--force", "--volumes", container], capture_output=True)
