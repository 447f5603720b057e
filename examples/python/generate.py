"""Makes the stubs of grpcio_tour.py in gen/ with plain protoc, which grpcio-tools brings along."""

import sys
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

here = Path(__file__).parent
protos = here / "../../proto"
gen = here / "gen"
gen.mkdir(exist_ok=True)

status = protoc.main(
    [
        "protoc",
        f"--proto_path={protos}",
        f"--proto_path={Path(grpc_tools.__file__).parent / '_proto'}",
        f"--python_out={gen}",
        f"--pyi_out={gen}",
        f"--grpc_python_out={gen}",
        *sorted(str(path) for path in protos.glob("yonder/workspace/v1/*.proto")),
    ]
)
sys.exit(status)
