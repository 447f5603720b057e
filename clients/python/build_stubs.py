"""Makes src/yonder/workspace/v1 of the contract, when the package is built; by hand: `python build_stubs.py`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

here = Path(__file__).parent
protos = here / "../../proto"


def make_stubs() -> None:
    import grpc_tools
    from grpc_tools import protoc

    out = here / "src"
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={protos}",
            f"--proto_path={Path(grpc_tools.__file__).parent / '_proto'}",
            f"--python_out={out}",
            f"--pyi_out={out}",
            f"--grpc_python_out={out}",
            *sorted(str(path) for path in protos.glob("yonder/workspace/v1/*.proto")),
        ]
    )
    if status != 0:
        sys.exit(f"protoc ended with {status}")


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:
    pass
else:

    class StubsHook(BuildHookInterface):  # type: ignore[type-arg, misc]
        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            # A source distribution carries the stubs and not the contract.
            if protos.is_dir():
                make_stubs()


if __name__ == "__main__":
    make_stubs()
