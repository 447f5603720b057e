"""A tour of the contract on grpcio and its generated stubs alone."""

import hashlib
import os
import sys
import tempfile
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent / "gen"))

import grpc
from yonder.workspace.v1 import (
    exec_service_pb2 as exec_pb,
    exec_service_pb2_grpc,
    file_service_pb2 as file_pb,
    file_service_pb2_grpc,
    git_pb2,
    git_service_pb2 as git_pb,
    git_service_pb2_grpc,
)
from yonder.workspace.v1.exec_pb2 import ExecEvent, ExecStdin
from yonder.workspace.v1.file_pb2 import FileChunk

HOST = urlsplit(os.environ.get("YONDER_HOST", "http://127.0.0.1:8000"))
METADATA = [("authorization", f"Bearer {os.environ.get('YONDER_API_KEY', '')}")]


def connect() -> grpc.Channel:
    """A connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    if HOST.scheme == "https":
        return grpc.secure_channel(HOST.netloc, grpc.ssl_channel_credentials(), options)
    return grpc.insecure_channel(HOST.netloc, options)


def events(stream) -> Iterator[ExecEvent]:
    """What a stream said. One that ends without `ended`, which leaves the loops below, is a broken one."""
    for reply in stream:
        yield reply.event
    raise ConnectionError("the stream broke")


def show(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def talk(channel: grpc.Channel) -> None:
    print("1. What a command prints is seen as it is printed, so that it can be answered.", flush=True)
    stub = exec_service_pb2_grpc.ExecServiceStub(channel)
    exec_id = str(uuid.uuid4())
    request = exec_pb.ExecRequest(
        exec_id=exec_id,
        command='echo "What is your name?"; read name; echo "Hello, $name."; exit 3',
        stdin=ExecStdin(),
    )
    answered = False
    for event in events(stub.Exec(request, metadata=METADATA)):
        kind = event.WhichOneof("event")
        if kind == "output":
            show(event.output.data)
            if not answered:
                answer = exec_pb.WriteStdinRequest(exec_id=exec_id, data=b"Yonder\n", eof=True)
                stub.WriteStdin(answer, metadata=METADATA)
            answered = True
        elif kind == "ended":
            print(f"exit code {event.ended.exit_code}")
            return


def cut_and_go_on() -> None:
    print("2. A connection is cut in the midst of the output, and another one goes on.")
    expected = hashlib.sha256("".join(f"{line}\n" for line in range(1, 200_001)).encode())

    exec_id = str(uuid.uuid4())
    digest = hashlib.sha256()
    cursor = 0
    with connect() as first:
        stub = exec_service_pb2_grpc.ExecServiceStub(first)
        request = exec_pb.ExecRequest(exec_id=exec_id, command="seq 1 200000")
        for event in events(stub.Exec(request, metadata=METADATA)):
            if event.WhichOneof("event") == "output":
                digest.update(event.output.data)
                cursor += len(event.output.data)
                if cursor >= 300_000:
                    break

    with connect() as second:
        stub = exec_service_pb2_grpc.ExecServiceStub(second)
        rest = exec_pb.AttachRequest(exec_id=exec_id, cursor=cursor)
        for event in events(stub.Attach(rest, metadata=METADATA)):
            kind = event.WhichOneof("event")
            if kind == "output":
                assert event.output.cursor == cursor, f"a gap at {cursor}"
                digest.update(event.output.data)
                cursor += len(event.output.data)
            elif kind == "ended":
                break
    assert digest.digest() == expected.digest(), f"{cursor} bytes, and not those that were printed"
    print(f"{cursor} bytes, none lost")


def upload_parts(path: str, source: Path, sha256: bytes) -> Iterator[file_pb.UploadRequest]:
    yield file_pb.UploadRequest(
        header=file_pb.UploadHeader(
            path=path, size_bytes=source.stat().st_size, create_parents=True, sha256=True
        )
    )
    offset = whole = 0
    with source.open("rb") as file:
        while data := file.read(256 * 1024):
            chunk = FileChunk(offset=offset, data=data, crc32=zlib.crc32(data))
            yield file_pb.UploadRequest(chunk=chunk)
            offset += len(data)
            whole = zlib.crc32(data, whole)
    yield file_pb.UploadRequest(finish=file_pb.UploadFinish(crc32=whole, sha256=sha256))


def up_and_down(channel: grpc.Channel, directory: str, local: Path) -> None:
    print("3. A file goes up and comes down.")
    stub = file_service_pb2_grpc.FileServiceStub(channel)
    source, copy = local / "source", local / "copy"
    source.write_bytes((b"All work and no play makes a dull file. " * 75_000))
    with source.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").digest()
    path = f"{directory}/file"

    upload = stub.Upload(upload_parts(path, source, sha256), metadata=METADATA).upload
    assert upload.sha256 == sha256, "other bytes arrived than went up"
    print(f"uploaded {upload.committed_bytes} bytes, digest checked")

    digest = hashlib.sha256()
    with copy.open("wb") as target:
        for part in stub.Download(file_pb.DownloadRequest(path=path, sha256=True), metadata=METADATA):
            kind = part.WhichOneof("part")
            if kind == "chunk":
                assert zlib.crc32(part.chunk.data) == part.chunk.crc32, "a chunk is corrupt"
                digest.update(part.chunk.data)
                target.write(part.chunk.data)
            elif kind == "finished":
                assert part.finished.sha256 == sha256 == digest.digest(), "other bytes came than went up"
                print(f"downloaded {part.finished.size_bytes} bytes, digest checked")


PREPARE = """git init -q . && echo 1 > changed.txt && echo 1 > gone.txt && git add . &&
    git -c user.name=T -c user.email=t@localhost commit -q -m first &&
    echo 2 > changed.txt && rm gone.txt && echo 1 > 'a new één.txt'"""


def what_git_says(channel: grpc.Channel, directory: str) -> None:
    print("4. What git says.")
    path = f"{directory}/repository"
    files = file_service_pb2_grpc.FileServiceStub(channel)
    files.MakeDirectory(file_pb.MakeDirectoryRequest(path=path, parents=True), metadata=METADATA)
    exec_stub = exec_service_pb2_grpc.ExecServiceStub(channel)
    request = exec_pb.ExecRequest(command=PREPARE, working_directory=path)
    for event in events(exec_stub.Exec(request, metadata=METADATA)):
        if event.WhichOneof("event") == "output":
            show(event.output.data)
        if event.WhichOneof("event") == "ended":
            break
    stub = git_service_pb2_grpc.GitServiceStub(channel)
    for change in stub.ListChanges(git_pb.ListChangesRequest(path=path), metadata=METADATA).changes:
        status = git_pb2.GitChangeStatus.Name(change.status).removeprefix("GIT_CHANGE_STATUS_")
        print(status, change.path)


def main() -> None:
    directory = f"tour-{uuid.uuid4()}"
    with connect() as channel, tempfile.TemporaryDirectory() as local:
        try:
            talk(channel)
            cut_and_go_on()
            up_and_down(channel, directory, Path(local))
            what_git_says(channel, directory)
        finally:
            remove = file_pb.RemoveRequest(path=directory, recursive=True, missing_ok=True)
            file_service_pb2_grpc.FileServiceStub(channel).Remove(remove, metadata=METADATA)


main()
