"""Who started a container, as its label says it to whoever sweeps: the rule of the TypeScript client's owner.ts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path


def own_owner() -> str:
    """This process: MACHINE/PID/START, where START tells it from a later one of the same id."""
    return f"{machine()}/{os.getpid()}/{start_of_this_process()}"


def machine() -> str:
    """Processes of two machines, boots or containers have the same ids and are not the same."""
    name = socket.gethostname().replace("/", "_")
    if sys.platform != "linux":
        return name
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    namespace = os.readlink("/proc/self/ns/pid").removeprefix("pid:[").removesuffix("]")
    return f"{name}.{boot}.{namespace}"


def start_of_this_process() -> str:
    if sys.platform != "linux":
        said = subprocess.run(["ps", "-p", str(os.getpid()), "-o", "lstart="], capture_output=True, text=True)
        return "_".join(said.stdout.split())
    # The name of the program, in parentheses, may have blanks in it.
    return Path("/proc/self/stat").read_text().rpartition(") ")[2].split(" ")[19]
