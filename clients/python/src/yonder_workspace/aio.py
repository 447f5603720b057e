"""A workspace somewhere else, for programs with an event loop."""

from __future__ import annotations

import asyncio
import os
import posixpath
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from typing_extensions import Self

from yonder.workspace.v1 import workspace_service_pb2, workspace_service_pb2_grpc

from . import _git, _transfer
from ._completion import Completion
from ._connection import Connection
from ._exec import MAX_OUTPUT_BYTES, OnText, run_command
from .errors import BrokenStream, WorkspaceError
from .models import CommandResult, FileOperationResult, GitChange, GitDiff

PathLike = str | os.PathLike[str]


class AsyncRemoteWorkspace:
    """A workspace that a server at `host` keeps. It connects at the first call.

    `working_dir` is what relative paths mean; None is the server's own. `read_timeout` bounds calls that stream
    nothing.
    """

    def __init__(
        self,
        host: str,
        working_dir: PathLike | None = None,
        api_key: str | None = None,
        read_timeout: float = 600.0,
        max_connections: int | None = None,
    ) -> None:
        # One connection carries any number of calls; the number is taken for the sake of its callers.
        del max_connections
        self.host = host.rstrip("/")
        self.working_dir = None if working_dir is None else os.fspath(working_dir)
        self._connection = Connection(self.host, api_key, read_timeout)
        self._completion = Completion()

    async def execute_command(
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
        """Runs a shell line to its end. The callbacks are told what it prints as it prints it.

        A timeout in seconds ends it with all that it started; None is none. Raises WorkspaceError where it could not be
        run; what became of it is the result. `exec_id` names it: the same id never runs twice.
        """
        return await run_command(
            self._connection,
            command,
            self._resolve(cwd if cwd is not None else ""),
            timeout,
            on_stdout,
            on_stderr,
            env,
            exec_id,
            max_output_bytes,
        )

    async def file_upload(self, source_path: PathLike, destination_path: PathLike) -> FileOperationResult:
        """Copies a file of this machine into the workspace."""
        try:
            destination = self._resolve(destination_path)
            size = await _transfer.upload(self._connection, Path(source_path), destination)
        except (WorkspaceError, grpc.RpcError, OSError) as error:
            return failed(source_path, destination_path, error)
        return FileOperationResult(True, os.fspath(source_path), os.fspath(destination_path), size)

    async def file_download(self, source_path: PathLike, destination_path: PathLike) -> FileOperationResult:
        """Copies a file of the workspace to this machine; directories on the way are made."""
        try:
            source = self._resolve(source_path)
            size = await _transfer.download(self._connection, source, Path(destination_path))
        except (WorkspaceError, grpc.RpcError, OSError) as error:
            return failed(source_path, destination_path, error)
        return FileOperationResult(True, os.fspath(source_path), os.fspath(destination_path), size)

    async def git_changes(self, path: PathLike) -> list[GitChange]:
        """What differs in a repository from where its branch began. Raises WorkspaceError where there is none."""
        return await _git.changes(self._connection, self._resolve(path))

    async def git_diff(self, path: PathLike) -> GitDiff:
        """One file before and now."""
        return await _git.diff(self._connection, self._resolve(path))

    async def alive(self) -> bool:
        """Whether the server answers, within five seconds. Never raises."""
        try:
            with self._connection.in_use(self._connection.resets):
                check = self._connection.channel().unary_unary("/grpc.health.v1.Health/Check")
                # An empty request asks for the whole server; field 1 with the value 1 says that it serves.
                return bytes(await check(b"", timeout=5)) == b"\x08\x01"
        except (grpc.RpcError, BrokenStream, WorkspaceError):
            return False

    async def get_server_info(self) -> dict[str, Any]:
        """What answers there: versions, features, limits, in protobuf's JSON."""
        reply = await self._connection.call(
            lambda on: on.stub(workspace_service_pb2_grpc.WorkspaceServiceStub).GetInfo(
                workspace_service_pb2.GetInfoRequest(), metadata=on.metadata, timeout=on.read_timeout
            )
        )
        info: dict[str, Any] = MessageToDict(reply)
        return info

    async def reset_client(self) -> None:
        """Closes the connection. Commands and transfers that are under way go on over a new one."""
        await self._connection.reset()

    async def pause(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not support pause()")

    async def resume(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not support resume()")

    async def close(self) -> None:
        """Lets go of the connection for good. What runs in the workspace runs on."""
        await self._connection.close()

    def register_conversation(self, conversation_id: str) -> None:
        """What the completion callback says at the end of the scope."""
        self._completion.register_conversation(conversation_id)

    def register_cost(self, cost: float) -> None:
        """In US dollars, for the completion callback."""
        self._completion.register_cost(cost)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.close()
        finally:
            await asyncio.to_thread(self._completion.send, error)

    def _resolve(self, path: PathLike) -> str:
        text = os.fspath(path)
        if self.working_dir is None:
            return text
        return posixpath.join(self.working_dir, text) if text else self.working_dir


def failed(source: PathLike, destination: PathLike, error: Exception) -> FileOperationResult:
    return FileOperationResult(False, os.fspath(source), os.fspath(destination), error=_transfer.failure_text(error))
