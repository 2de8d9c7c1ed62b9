"""The wheels over HTTP, for builders that cannot bind a folder into a step."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serve(wheels: Path):
    """Gives the port, of this machine's own address."""
    server = subprocess.Popen([sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"], cwd=wheels,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield int(server.stdout.readline().split("port ")[1].split()[0])
    finally:
        server.terminate()
        server.wait()
