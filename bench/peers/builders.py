"""What the sides that build from a Dockerfile have in common."""

import subprocess
from pathlib import Path


def argument_words(arguments: dict[str, str]) -> list[str]:
    return [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]


def unmount_below(folder: Path):
    """What a builder that ended has left mounted, the innermost first."""
    mounts = [line.split()[1] for line in open("/proc/mounts")]
    for path in sorted((p for p in mounts if p.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", path], check=False)
