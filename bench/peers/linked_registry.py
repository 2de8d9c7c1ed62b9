"""Debian's docker-registry in a network namespace of its own, behind a link that `tc` holds to a rate."""

import shutil
import subprocess
import time
from pathlib import Path

NAMESPACE = "slipway-bench"
HERE, THERE = "10.99.8.1", "10.99.8.2"
CONFIG = """version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "{there}:5000", secret: bench}}
"""


def command(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


class LinkedRegistry:
    """Empty at its start and gone at its end, and its network with it. Needs root and iproute2."""

    host = f"{THERE}:5000"

    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.remove()
        command("ip", "netns", "add", NAMESPACE)
        command("ip", "link", "add", "slw-bench0", "type", "veth", "peer", "name", "slw-bench1", "netns", NAMESPACE)
        command("ip", "addr", "add", f"{HERE}/24", "dev", "slw-bench0")
        command("ip", "link", "set", "slw-bench0", "up")
        command("ip", "-n", NAMESPACE, "addr", "add", f"{THERE}/24", "dev", "slw-bench1")
        command("ip", "-n", NAMESPACE, "link", "set", "slw-bench1", "up")
        config = self.folder / "config.yml"
        config.write_text(CONFIG.format(folder=self.folder / "data", there=THERE))
        self.process = subprocess.Popen(["ip", "netns", "exec", NAMESPACE, "docker-registry", "serve", config],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        return self

    def limit(self, rate: str):
        """Both ways."""
        for inside, device in (([], "slw-bench0"), (["ip", "netns", "exec", NAMESPACE], "slw-bench1")):
            subprocess.run([*inside, "tc", "qdisc", "del", "dev", device, "root"], capture_output=True)
            command(*inside, "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", rate, "burst", "512kb",
                    "latency", "50ms")

    @staticmethod
    def remove():
        subprocess.run(["ip", "link", "del", "slw-bench0"], capture_output=True)
        subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.remove()
        shutil.rmtree(self.folder, ignore_errors=True)
