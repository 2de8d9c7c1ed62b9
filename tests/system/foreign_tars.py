"""Trees whose names have the lengths at which tar's formats differ, and tars of them.

    foreign_tars.py tree SEED FOLDER       files, links and folders, the same for one seed
    foreign_tars.py tar FORMAT FOLDER TAR  by Python's tarfile: USTAR, GNU or PAX
"""
import os
import random
import sys
import tarfile

# A header has 100 bytes for a name and 155 for what precedes it.
LENGTHS = [20, 95, 98, 99, 100, 101, 102, 130, 154, 155, 156, 200, 254, 255, 256, 257, 258, 300, 500]


def make_name(dice) -> str:
    length, name = dice.choice(LENGTHS), ""
    while len(name) < length:
        name += "".join(dice.choice("abcdefghij") for _ in range(dice.choice([1, 2, 3, 5, 9, 30, 60, 99]))) + "/"
    return name[:length].rstrip("/") + dice.choice(["", "x", "é", "ü b"])


def make_tree(seed: str, folder: str):
    dice, files = random.Random(int(seed)), []
    for _ in range(200):
        name = make_name(dice)
        path = os.path.join(folder, name)
        kind = dice.choices(["file", "folder", "symlink", "hard link"], [12, 3, 3, 2])[0]
        size = dice.choice([0, 1, 511, 512, 513, 2000])
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.lexists(path):
                continue
            if kind == "file" or not files:
                with open(path, "wb") as file:
                    file.write(dice.randbytes(size))
                files.append(path)
            elif kind == "folder":
                os.mkdir(path)
            elif kind == "symlink":
                os.symlink(name[:dice.choice([5, 99, 100, 101, 200])], path)
            else:
                os.link(dice.choice(files), path)
        except (FileExistsError, NotADirectoryError):
            pass  # a name that leads through a file


def write_tar(form: str, folder: str, target: str):
    with tarfile.open(target, "w", format=getattr(tarfile, f"{form}_FORMAT")) as tar:
        for parent, folders, names in os.walk(folder):
            for name in sorted(folders + names):
                path = os.path.join(parent, name)
                try:
                    tar.add(path, os.path.relpath(path, folder), recursive=False)
                except ValueError:
                    pass  # ustar has no room for it


{"tree": make_tree, "tar": write_tar}[sys.argv[1]](*sys.argv[2:])
