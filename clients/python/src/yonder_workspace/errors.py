"""What calls raise where what was asked for could not be done."""

from __future__ import annotations

import grpc
from google.rpc import status_pb2

from yonder.workspace.v1 import error_pb2


class WorkspaceError(Exception):
    """A call could not be done. `reason` is for programs: the names of ErrorReason, or of gRPC's status."""

    def __init__(self, message: str, reason: str = "", subject: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.subject = subject
        self.retryable = retryable


class ConnectionLost(WorkspaceError):
    """The server did not come back in time. A command may have run, and may run still, under `exec_id`."""

    def __init__(self, message: str, exec_id: str = "", cursor: int = 0) -> None:
        super().__init__(message, "CONNECTION_LOST", exec_id, retryable=True)
        self.exec_id = exec_id
        self.cursor = cursor


class StartFailed(WorkspaceError):
    """A server that was to be started did not come up."""


class BrokenStream(Exception):
    """A stream ended before what it streams did: inside only, since it is followed by another stream."""


def detail_of(error: grpc.RpcError) -> error_pb2.ErrorDetail | None:
    """What the server says of an error, for programs."""
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for item in status_pb2.Status.FromString(value).details:
            detail = error_pb2.ErrorDetail()
            if item.Unpack(detail):
                return detail
    return None


def is_passing(error: grpc.RpcError) -> bool:
    """Whether it is the connection's weather, or the server's, that another try may find gone."""
    detail = detail_of(error)
    if detail is not None:
        return detail.reason in (error_pb2.ERROR_REASON_READER_STALLED, error_pb2.ERROR_REASON_SERVER_STOPPING)
    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return True
    # How gRPC tells of a stream that was reset, and of one that broke while something was written to it.
    weather = ("RST_STREAM", "Internal error from Core")
    return error.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN) and any(
        text in (error.details() or "") for text in weather
    )


def to_workspace_error(error: grpc.RpcError) -> WorkspaceError:
    detail = detail_of(error)
    message = error.details() or error.code().name
    if detail is None:
        return WorkspaceError(message, error.code().name)
    if detail.remedy:
        message = f"{message} ({detail.remedy})"
    reason = error_pb2.ErrorReason.Name(detail.reason).removeprefix("ERROR_REASON_")
    return WorkspaceError(message, reason, detail.subject, detail.retryable)
