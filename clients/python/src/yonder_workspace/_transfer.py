"""Files on their way, in chunks, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import tempfile
import uuid
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import grpc

from yonder.workspace.v1 import error_pb2, file_pb2, file_service_pb2, file_service_pb2_grpc

from ._connection import Connection, Retry, next_message
from .errors import BrokenStream, WorkspaceError, detail_of, to_workspace_error

CHUNK = 256 * 1024


async def upload(connection: Connection, source: Path, destination: str) -> int:
    """Answers the size. The file is in its place whole, with its mode and time, or not at all."""
    with await asyncio.to_thread(source.open, "rb") as file:
        info = os.fstat(file.fileno())
        header = file_service_pb2.UploadHeader(
            upload_id=str(uuid.uuid4()),
            path=destination,
            size_bytes=info.st_size,
            mode=stat.S_IMODE(info.st_mode) & 0o777,
            create_parents=True,
        )
        header.modify_time.FromNanoseconds(info.st_mtime_ns)
        retry = Retry(connection)
        offset = 0
        while True:
            resets = connection.resets
            stub = connection.stub(file_service_pb2_grpc.FileServiceStub)
            try:
                with connection.in_use(resets):
                    reply = await stub.Upload(parts(file, header, offset), metadata=connection.metadata)
                connection.was_reached = True
                return int(reply.upload.committed_bytes)
            except (grpc.RpcError, BrokenStream) as error:
                await retry.after(error)
            stands = await where_server_stands(connection, header.upload_id)
            if stands.state == file_pb2.FILE_UPLOAD_STATE_FINISHED:
                return int(stands.committed_bytes)
            if stands.committed_bytes > offset:
                retry.progress()
            offset = stands.committed_bytes


async def parts(
    file: BinaryIO, header: file_service_pb2.UploadHeader, offset: int
) -> AsyncIterator[file_service_pb2.UploadRequest]:
    yield file_service_pb2.UploadRequest(header=header)
    # What the server has already is read again for the digest of the whole alone.
    position = whole = 0
    await asyncio.to_thread(file.seek, 0)
    while data := await asyncio.to_thread(file.read, CHUNK if position >= offset else min(CHUNK, offset - position)):
        whole = zlib.crc32(data, whole)
        if position >= offset:
            chunk = file_pb2.FileChunk(offset=position, data=data, crc32=zlib.crc32(data))
            yield file_service_pb2.UploadRequest(chunk=chunk)
        position += len(data)
    yield file_service_pb2.UploadRequest(finish=file_service_pb2.UploadFinish(crc32=whole))


async def where_server_stands(connection: Connection, upload_id: str) -> file_pb2.FileUpload:
    request = file_service_pb2.GetUploadRequest(upload_id=upload_id)
    retry = Retry(connection)
    while True:
        resets = connection.resets
        stub = connection.stub(file_service_pb2_grpc.FileServiceStub)
        try:
            with connection.in_use(resets):
                reply: file_service_pb2.GetUploadResponse = await stub.GetUpload(request, metadata=connection.metadata)
                return reply.upload
        except (grpc.RpcError, BrokenStream) as error:
            detail = detail_of(error) if isinstance(error, grpc.RpcError) else None
            if detail is not None and detail.reason == error_pb2.ERROR_REASON_UPLOAD_NOT_FOUND:
                return file_pb2.FileUpload()
            await retry.after(error)


async def download(connection: Connection, source: str, destination: Path) -> int:
    """Answers the size. The bytes appear under the file's name once all of them are there."""
    if await asyncio.to_thread(destination.is_dir):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(destination))
    await asyncio.to_thread(destination.parent.mkdir, parents=True, exist_ok=True)
    descriptor, name = await asyncio.to_thread(
        tempfile.mkstemp, prefix=f".{destination.name}.", suffix=".part", dir=destination.parent
    )
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            info, size = await receive(connection, source, file)
            await asyncio.to_thread(file.flush)
            os.fchmod(file.fileno(), info.mode & 0o777)
        modified = info.modify_time.ToNanoseconds()
        os.utime(part, ns=(modified, modified))
        await asyncio.to_thread(part.replace, destination)
        return size
    except BaseException:
        part.unlink(missing_ok=True)
        raise


async def receive(connection: Connection, source: str, file: BinaryIO) -> tuple[file_pb2.FileInfo, int]:
    retry = Retry(connection)
    info = file_pb2.FileInfo()
    offset = 0
    while True:
        resets = connection.resets
        stub = connection.stub(file_service_pb2_grpc.FileServiceStub)
        # Only the state of the file that the bytes before came from.
        request = file_service_pb2.DownloadRequest(path=source, offset=offset, if_match=info.etag)
        stream = stub.Download(request, metadata=connection.metadata)
        try:
            while True:
                message = await next_message(connection, resets, stream)
                kind = message.WhichOneof("part")
                if kind == "started":
                    info = message.started.file
                elif kind == "chunk":
                    chunk = message.chunk
                    if chunk.offset != offset or zlib.crc32(chunk.data) != chunk.crc32:
                        raise BrokenStream(f"the chunk at {chunk.offset} is corrupt")
                    await asyncio.to_thread(file.write, chunk.data)
                    offset += len(chunk.data)
                    retry.progress()
                elif kind == "finished":
                    if message.finished.changed:
                        raise WorkspaceError(f"{source} changed while it was read", "FILE_CHANGED", source, True)
                    return info, offset
        except (grpc.RpcError, BrokenStream) as error:
            await retry.after(error)
        finally:
            stream.cancel()


def failure_text(error: Exception) -> str:
    return str(to_workspace_error(error) if isinstance(error, grpc.RpcError) else error)
