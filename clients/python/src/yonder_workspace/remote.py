"""A workspace somewhere else, for programs without an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import Any, TypeVar

from typing_extensions import Self

from ._completion import Completion
from ._exec import MAX_OUTPUT_BYTES, OnText
from .aio import AsyncRemoteWorkspace, PathLike
from .models import CommandResult, FileOperationResult, GitChange, GitDiff

T = TypeVar("T")


class RemoteWorkspace:
    """AsyncRemoteWorkspace for programs without an event loop. Any number of threads may share one.

    Its connection lives in a thread of its own; callbacks are called in another thread than the one that waits, one
    after the other.
    """

    def __init__(
        self,
        host: str,
        working_dir: PathLike | None = None,
        api_key: str | None = None,
        read_timeout: float = 600.0,
        max_connections: int | None = None,
    ) -> None:
        self._remote = AsyncRemoteWorkspace(host, working_dir, api_key, read_timeout, max_connections)
        self._completion = Completion()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def host(self) -> str:
        return self._remote.host

    @property
    def working_dir(self) -> str | None:
        return self._remote.working_dir

    def execute_command(
        self,
        command: str,
        cwd: PathLike | None = None,
        timeout: float | None = 30.0,
        *,
        on_stdout: OnText | None = None,
        on_stderr: OnText | None = None,
        env: Mapping[str, str] | None = None,
        exec_id: str | None = None,
        max_output_bytes: int = MAX_OUTPUT_BYTES,
    ) -> CommandResult:
        """Runs a shell line to its end; see AsyncRemoteWorkspace."""
        return self._run(
            self._remote.execute_command(
                command,
                cwd,
                timeout,
                on_stdout=beside(on_stdout),
                on_stderr=beside(on_stderr),
                env=env,
                exec_id=exec_id,
                max_output_bytes=max_output_bytes,
            )
        )

    def file_upload(self, source_path: PathLike, destination_path: PathLike) -> FileOperationResult:
        """Copies a file of this machine into the workspace."""
        return self._run(self._remote.file_upload(source_path, destination_path))

    def file_download(self, source_path: PathLike, destination_path: PathLike) -> FileOperationResult:
        """Copies a file of the workspace to this machine; directories on the way are made."""
        return self._run(self._remote.file_download(source_path, destination_path))

    def git_changes(self, path: PathLike) -> list[GitChange]:
        """What differs in a repository from where its branch began."""
        return self._run(self._remote.git_changes(path))

    def git_diff(self, path: PathLike) -> GitDiff:
        """One file before and now."""
        return self._run(self._remote.git_diff(path))

    @property
    def alive(self) -> bool:
        """Whether the server answers, within five seconds. Never raises."""
        return self._run(self._remote.alive())

    def get_server_info(self) -> dict[str, Any]:
        """What answers there."""
        return self._run(self._remote.get_server_info())

    def reset_client(self) -> None:
        """Closes the connection. Commands and transfers that are under way go on over a new one."""
        self._run(self._remote.reset_client())

    def pause(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not support pause()")

    def resume(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not support resume()")

    def close(self) -> None:
        """Lets go of the connection. What runs in the workspace runs on."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def register_conversation(self, conversation_id: str) -> None:
        """What the completion callback says at the end of the scope."""
        self._completion.register_conversation(conversation_id)

    def register_cost(self, cost: float) -> None:
        """In US dollars, for the completion callback."""
        self._completion.register_cost(cost)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        finally:
            self._completion.send(error)

    async def _end(self) -> None:
        await self._remote.close()
        # What other threads wait for ends now, with an error.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            await asyncio.wait(left, timeout=5)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._open_loop())
        try:
            return future.result()
        except BaseException:
            # Control-C while it waits: nobody wants the answer any more.
            future.cancel()
            raise

    def _open_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="yonder-workspace", daemon=True)
                self._thread.start()
            return self._loop


def beside(callback: OnText | None) -> OnText | None:
    """Calls it in a thread, so that one that takes its time holds up its own command alone."""
    if callback is None:
        return None
    called = callback

    async def call(text: str) -> None:
        result = await asyncio.to_thread(called, text)
        if result is not None:
            await result

    return call
