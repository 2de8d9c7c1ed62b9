"""A dockerd of the benchmark's own: its data, socket and pid file lie in one folder, and go with it."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from builders import argument_words, unmount_below


def find(name: str) -> str:
    """Debian's own program before others in PATH: client and daemon must be of one release, since
    newer clients leave BuildKit to a plug-in that is not installed."""
    for folder in ("/usr/bin", "/usr/sbin"):
        if os.access(f"{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    return shutil.which(name) or name


class Docker:
    def __init__(self, folder: Path):
        self.folder = folder
        self.socket = f"unix://{folder}/docker.sock"
        self.environment = {**os.environ, "DOCKER_CONFIG": str(folder / "config")}

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = open(self.folder / "dockerd.log", "w")
        # No bridge and no firewall rules: the builds need no network, and the host keeps its own.
        self.daemon = subprocess.Popen(
            [find("dockerd"), "--data-root", self.folder / "data", "--exec-root", self.folder / "exec",
             "--host", self.socket, "--pidfile", self.folder / "docker.pid", "--bridge=none",
             "--iptables=false", "--ip-forward=false", "--storage-driver=overlay2"],
            stdout=self.log, stderr=self.log)
        for _ in range(300):
            if subprocess.run([find("docker"), "-H", self.socket, "version"], env=self.environment,
                              capture_output=True).returncode == 0:
                return self
            if self.daemon.poll() is not None:
                break
            time.sleep(0.2)
        self.__exit__()
        raise SystemExit(f"bench: dockerd does not start: see {self.folder}/dockerd.log")

    def __exit__(self, *_):
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(timeout=120)
        self.log.close()
        unmount_below(self.folder)
        for name in ("data", "exec"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def run(self, *arguments, **options):
        return subprocess.run([find("docker"), "-H", self.socket, *map(str, arguments)], check=True,
                              env=self.environment, **options)

    def import_folder(self, folder: Path, name: str):
        tar = subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE)
        self.run("import", "-", name, stdin=tar.stdout, stdout=subprocess.DEVNULL)
        if tar.wait() != 0:
            raise SystemExit(f"bench: tar of {folder} failed")

    def build(self, dockerfile: Path, context: Path, arguments: dict[str, str], tag: str, classic: bool) -> float:
        """By BuildKit, or by the builder that was there before it."""
        started = time.monotonic()
        done = subprocess.run(
            [find("docker"), "-H", self.socket, "build", "-q", "--network=host", "-f", dockerfile,
             *argument_words(arguments), "-t", tag, context],
            env={**self.environment, "DOCKER_BUILDKIT": "0" if classic else "1"}, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: docker build -f {dockerfile.name} failed:\n{done.stderr[-3000:]}")
        return time.monotonic() - started

    def forget(self, tag: str):
        """Removes the image and every cached step, so that the next build is cold and the disk stays free."""
        self.run("rmi", "-f", tag, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.run("builder", "prune", "-af", stdout=subprocess.DEVNULL)
        self.run("image", "prune", "-f", stdout=subprocess.DEVNULL)
