"""Checks the test vectors with the generated stubs: `python vectors.py ../../test/vectors/messages.json`."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "gen"))

from google.protobuf import descriptor_pool, json_format, message_factory
from yonder.workspace.v1 import error_pb2  # noqa: F401  The files that nothing else imports.
from yonder.workspace.v1 import exec_service_pb2, file_service_pb2, git_service_pb2, workspace_service_pb2  # noqa: F401

vectors = json.loads(Path(sys.argv[1]).read_text("utf-8"))
for vector in vectors:
    name, wire = vector["name"], bytes.fromhex(vector["wire"])
    descriptor = descriptor_pool.Default().FindMessageTypeByName(vector["message"])
    Message = message_factory.GetMessageClass(descriptor)
    decoded = Message.FromString(wire)
    meaning = json_format.MessageToDict(decoded)
    assert meaning == vector["json"], f"{name}: means {meaning}"
    parsed = json_format.ParseDict(vector["json"], Message())
    if vector["roundTrips"]:
        for message in (decoded, parsed):
            assert message.SerializeToString() == wire, f"{name}: is written as {message.SerializeToString().hex()}"
    elif not vector.get("unknownFields"):
        assert parsed == decoded, f"{name}: its JSON means {parsed}"
print(f"{len(vectors)} vectors checked")
