"""A command, from its start to its end, over as many connections as it takes."""

from __future__ import annotations

import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration

from yonder.workspace.v1 import exec_pb2, exec_service_pb2, exec_service_pb2_grpc

from ._capture import Capture
from ._connection import Connection, Retry, maybe_await, next_message
from .errors import BrokenStream, WorkspaceError
from .models import CommandResult

#: Called with what was printed, as it is printed; may be a coroutine function, which is then waited for.
OnText = Callable[[str], "Awaitable[None] | None"]

#: How much of each stream a result keeps.
MAX_OUTPUT_BYTES = 32 * 1024 * 1024


async def run_command(
    connection: Connection,
    command: str,
    cwd: str,
    timeout: float | None,
    on_stdout: OnText | None,
    on_stderr: OnText | None,
    env: Mapping[str, str] | None,
    exec_id: str | None,
    max_output_bytes: int,
) -> CommandResult:
    exec_id = exec_id or str(uuid.uuid4())
    request = exec_service_pb2.ExecRequest(exec_id=exec_id, command=command, working_directory=cwd)
    request.reader_id = str(uuid.uuid4())
    if timeout is not None and timeout != 0:
        request.timeout.CopyFrom(duration(timeout))
    if env:
        request.environment.variables.update(env)

    out, err = Capture(max_output_bytes), Capture(max_output_bytes)
    lost = 0
    async for event in follow(connection, request):
        kind = event.WhichOneof("event")
        if kind == "output":
            is_stderr = event.output.stream == exec_pb2.OUTPUT_STREAM_STDERR
            capture, callback = (err, on_stderr) if is_stderr else (out, on_stdout)
            await tell(callback, capture.add(event.output.data))
        elif kind == "lost":
            lost += event.lost.end_cursor - event.lost.begin_cursor
        elif kind == "ended":
            await tell(on_stdout, out.rest())
            await tell(on_stderr, err.rest())
            return result_of(command, exec_id, event.ended, out, err, lost)
    raise AssertionError("a command's events end with its end")


async def follow(connection: Connection, request: exec_service_pb2.ExecRequest) -> AsyncIterator[exec_pb2.ExecEvent]:
    """The events of a command, each once: where a stream breaks, the next one goes on at its cursor."""
    retry = Retry(connection, request.exec_id)
    started = False
    while True:
        resets = connection.resets
        stub = connection.stub(exec_service_pb2_grpc.ExecServiceStub)
        if started:
            attach = exec_service_pb2.AttachRequest(
                exec_id=request.exec_id, cursor=retry.cursor, reader_id=request.reader_id
            )
            stream = stub.Attach(attach, metadata=connection.metadata)
        else:
            # The same id never runs twice, so that a start whose answer was lost is sent again as it is.
            stream = stub.Exec(request, metadata=connection.metadata)
        try:
            while True:
                event = (await next_message(connection, resets, stream)).event
                kind = event.WhichOneof("event")
                retry.progress()
                if kind == "started":
                    if not started:
                        started = True
                        yield event
                elif kind == "output":
                    if event.output.cursor != retry.cursor:
                        raise BrokenStream(f"output at {event.output.cursor} follows on {retry.cursor}")
                    retry.cursor += len(event.output.data)
                    yield event
                elif kind == "lost":
                    retry.cursor = event.lost.end_cursor
                    yield event
                elif kind == "ended":
                    yield event
                    return
        except (grpc.RpcError, BrokenStream) as error:
            await retry.after(error)
        finally:
            stream.cancel()


def result_of(
    command: str, exec_id: str, ended: exec_pb2.ExecEnded, out: Capture, err: Capture, lost: int
) -> CommandResult:
    # A reason that is newer than these stubs has no name, and is no success.
    names: Any = exec_pb2.EndReason
    reason = names.Name(ended.reason) if ended.reason in names.values() else f"END_REASON_{ended.reason}"
    return CommandResult(
        command=command,
        exit_code=exit_code_of(ended),
        stdout=out.text(),
        stderr=err.text(),
        timeout_occurred=ended.reason in (exec_pb2.END_REASON_TIMED_OUT, exec_pb2.END_REASON_IDLE_TIMED_OUT),
        reason=reason.removeprefix("END_REASON_"),
        duration=ended.duration.seconds + ended.duration.nanos / 1e9,
        truncated=out.dropped + err.dropped + lost,
        exec_id=exec_id,
    )


def exit_code_of(ended: exec_pb2.ExecEnded) -> int:
    if ended.reason == exec_pb2.END_REASON_EXITED and ended.HasField("exit_code"):
        return ended.exit_code
    if ended.reason in (exec_pb2.END_REASON_TIMED_OUT, exec_pb2.END_REASON_IDLE_TIMED_OUT):
        return -1
    if ended.reason == exec_pb2.END_REASON_KILLED and ended.HasField("exit_code"):
        return ended.exit_code
    number = getattr(signal, ended.signal, None) if ended.signal.startswith("SIG") else None
    return -int(number) if isinstance(number, int) else -1


async def tell(callback: OnText | None, text: str) -> None:
    if callback is not None and text != "":
        await maybe_await(callback(text))


def duration(seconds: float) -> Duration:
    """Whole and broken seconds as they are: 0.5 is half a second."""
    if not 0 < seconds < 1e10:
        message = f"a timeout of {seconds} s makes no sense: give more than 0, or None for none"
        raise WorkspaceError(message, "INVALID_FIELD", "timeout")
    nanos = round(seconds * 1e9)
    return Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)
