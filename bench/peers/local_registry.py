"""Debian's docker-registry on a port of this machine, empty at its start and gone at its end."""

import re
import shutil
import subprocess
import time
from pathlib import Path

CONFIG = """version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:0", secret: bench}}
"""


class Registry:
    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "config.yml").write_text(CONFIG.format(folder=self.folder / "data").replace(
            "level: error", "level: info"))
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen(["docker-registry", "serve", self.folder / "config.yml"],
                                        stdout=self.log, stderr=self.log)
        while not (found := re.search(r"listening on (127[0-9.]*:\d+)", (self.folder / "log").read_text())):
            if self.process.poll() is not None:
                raise SystemExit("bench: docker-registry does not start")
            time.sleep(0.05)
        self.host = found.group(1)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
