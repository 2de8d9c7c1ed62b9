#!/usr/bin/env python3
"""Holds the sources to the rules of the house that a machine can check.

  - a module includes only `base` and the DEPS of its slipway_module() line
  - a third-party header appears only in a module whose LIBS name it (fmt may appear everywhere), and
    no other module includes a header that shows one
  - pure modules include nothing that touches files, network, clock, threads or environment
  - functions that have a wrapper in `base` are called nowhere else; nothing below `cli` prints
  - a TODO names an issue
  - no file names a public registry's host, as this machine's pip, apt, npm and go know them

Prints `file:line: what` for each breach and ends with 1; prints nothing and ends with 0 otherwise.
"""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
SRC = TOP / "src"

# Header prefix -> the LIBS word that brings it.
THIRD_PARTY = {
    "curl/": "CURL::libcurl",
    "openssl/sha.h": "OpenSSL::Crypto",
    "openssl/": "OpenSSL::Evp",
    "nlohmann/": "nlohmann_json::nlohmann_json",
    "toml++/": "tomlplusplus::tomlplusplus",
    "CLI/": "CLI11::CLI11",
    "libdeflate.h": "PkgConfig::libdeflate",
    "bzlib.h": "BZip2::BZip2",
    "isa-l": "PkgConfig::libisal",
    "lzma.h": "PkgConfig::liblzma",
    "zstd.h": "PkgConfig::libzstd",
    "archive.h": "PkgConfig::libarchive",
    "archive_entry.h": "PkgConfig::libarchive",
    "solv/": "PkgConfig::libsolv",
    "seccomp.h": "PkgConfig::libseccomp",
    "sodium": "PkgConfig::libsodium",
    "yaml.h": "PkgConfig::yaml",
    "fuse3/": "PkgConfig::fuse",
    "doctest/": None,  # tests only
}
EVERYWHERE = ("fmt/",)
# Headers with an end in .h that belong to C, POSIX or the kernel.
SYSTEM = re.compile(
    r"^((sys|linux|arpa|net|netinet|asm)/.*|"
    r"(cxxabi|dirent|dlfcn|elf|endian|err|errno|fcntl|fnmatch|ftw|getopt|fts|glob|grp|inttypes|libgen|limits|"
    r"link|locale|malloc|math|netdb|poll|pthread|pty|pwd|sched|semaphore|setjmp|signal|spawn|stdarg|stdint|"
    r"stdio|stdlib|string|strings|syslog|termios|time|ucontext|unistd|utime|wchar|features|"
    r"immintrin|x86intrin|cpuid)\.h)$"
)

# Made at configure time, in the build folder.
GENERATED = ("defaults.h",)

PURE = ("version", "oci", "spec", "solve", "sbom")
IMPURE_INCLUDES = (
    "base/file.h", "base/process.h", "base/environment.h", "base/threads.h", "fstream", "iostream",
    "thread", "mutex", "future", "condition_variable", "filesystem", "unistd.h", "fcntl.h",
    "stdio.h", "time.h", "ctime", "chrono", "dirent.h",
)

# What is banned, and the files that wrap it.
BANNED = [
    (r"std::filesystem", "the throwing std::filesystem", ()),
    (r"(?<![\w:.>])(?:std::|::)?system\s*\(", "system()", ()),
    (r"(?<![\w.>])popen\s*\(", "popen()", ()),
    (r"(?<![\w.>])(?:secure_)?getenv\s*\(", "getenv()", ("base/environment.cc",)),
    (r"(?<![\w.>])exit\s*\(", "exit()", ()),
    (r"(?<![\w.>])strto[a-z]+\s*\(", "strto*()", ()),
    (r"std::sto[a-z]+\s*\(", "std::sto*()", ()),
    (r"std::w?regex", "std::regex", ()),
    (r"std::w?(cout|cerr|clog)\b", "iostream output", ()),
    (r"system_clock::now", "system_clock::now", ("base/clock.cc",)),
]
PRINTING = (r"(?<![\w.>])(?:std::|::)?(printf|puts|putchar|perror)\s*\(|fmt::print\s*\("
            r"|f(?:printf|puts)\s*\([^;]*\bstd(?:out|err)\b")
PRINTERS = ("base/error.cc",)  # SLIPWAY_CHECK's last words

problems = []
included = []  # (path, line, module, name) of each #include "name"
shows = {}  # header -> the third-party header that it brings along


def problem(path, line, what):
    problems.append(f"{path.relative_to(TOP)}:{line}: {what}")


def run(*arguments):
    try:
        return subprocess.run(arguments, cwd=TOP, capture_output=True, text=True).stdout
    except OSError:
        return ""


def without_comments_and_texts(source):
    """The same lines, with comments and the insides of literals blanked."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^()\\ ]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S
    )
    # A digit separator (1'000'000) is no character literal.
    source = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", source)

    def blank(match):
        text = match.group(0)
        quote = '""' if not text.startswith("/") else ""
        return quote + "\n" * text.count("\n")

    return pattern.sub(blank, source)


def read_modules():
    """Name -> (DEPS, LIBS), from the slipway_module() lines."""
    modules = {}
    for path in sorted(SRC.glob("*/CMakeLists.txt")):
        text = re.sub(r"#[^\n]*", "", path.read_text())
        for call in re.finditer(r"slipway_module\(([^()]*)\)", text):
            words = re.sub(r"\$\{[^}]*\}", "", call.group(1)).split()
            groups, current = {}, "NAME"
            for word in words:
                if word in ("SOURCES", "TESTS", "DEPS", "LIBS", "TEST_LIBS"):
                    current = word
                else:
                    groups.setdefault(current, []).append(word)
            if groups["NAME"][0] != path.parent.name:
                problem(path, 1, f"the module of this folder is called `{path.parent.name}`")
            modules[path.parent.name] = (groups.get("DEPS", []), groups.get("LIBS", []))
    return modules


def is_test(path):
    return path.name.endswith("_test.cc") or "testing" in path.parts


def check_include(path, line, module, name, angled, modules):
    deps, libs = modules[module]
    if not angled:
        included.append((path, line, module, name))
        first = name.split("/")[0]
        if "/" in name and first in modules and first not in ("base", module, *deps):
            if not (is_test(path) and "/testing/" in name):
                problem(path, line, f"`{module}` includes `{name}`; its DEPS do not name `{first}`")
        elif "/" not in name and name not in GENERATED:
            problem(path, line, f"write the include as `module/{name}`")
        if module in PURE and not is_test(path) and name in IMPURE_INCLUDES:
            problem(path, line, f"`{module}` is pure; `{name}` is not")
        return
    if module in PURE and not is_test(path) and name in IMPURE_INCLUDES:
        problem(path, line, f"`{module}` is pure; <{name}> is not")
    if name.startswith(EVERYWHERE) or SYSTEM.match(name) or re.fullmatch(r"[a-z_0-9]+", name):
        return
    for prefix, library in THIRD_PARTY.items():
        if not name.startswith(prefix):
            continue
        if library is None and not is_test(path):
            problem(path, line, f"<{name}> is for tests")
        if library is not None and library not in libs and not is_test(path):
            problem(path, line, f"<{name}> needs `{library}` in the LIBS of `{module}`")
        if path.suffix == ".h":
            shows.setdefault(str(path.relative_to(SRC)), name)
        return
    problem(path, line, f"<{name}> is not known; add it to tools/check_deps.py")


def check_sources(modules):
    for path in sorted([*SRC.rglob("*.h"), *SRC.rglob("*.cc")]):
        module = path.relative_to(SRC).parts[0]
        if module not in modules:
            continue
        source = path.read_text()
        for match in re.finditer(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', source, re.M):
            line = source.count("\n", 0, match.start()) + 1
            check_include(path, line, module, match.group(2), match.group(1) == "<", modules)
        if is_test(path):
            continue
        code = without_comments_and_texts(source)
        inside = str(path.relative_to(SRC))
        rules = list(BANNED)
        if module != "cli":
            rules.append((PRINTING, "printing below cli", PRINTERS))
        for pattern, what, wrappers in rules:
            if inside in wrappers:
                continue
            for match in re.finditer(pattern, code):
                problem(path, code.count("\n", 0, match.start()) + 1, f"{what} is banned here")


def check_shown():
    """No module sees another's library through its headers."""
    grown = True
    while grown:
        grown = False
        for path, _, _, name in included:
            inside = str(path.relative_to(SRC))
            if path.suffix == ".h" and name in shows and inside not in shows:
                shows[inside] = shows[name]
                grown = True
    for path, line, module, name in included:
        if name in shows and name.split("/")[0] != module and not is_test(path):
            problem(path, line, f"`{name}` shows <{shows[name]}>, which is its module's own")


def check_cycles(modules):
    order = re.search(r"foreach\(module ([^)]*)\)", (TOP / "CMakeLists.txt").read_text())
    known = order.group(1).split() if order else []
    for module, (deps, _) in modules.items():
        for dep in deps:
            if module in known and dep in known and known.index(dep) >= known.index(module):
                problem(SRC / module / "CMakeLists.txt", 1, f"`{dep}` does not stand below `{module}`")


def tracked_files():
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return [TOP / name for name in names if name and (TOP / name).is_file()]


def public_hosts():
    """As this machine's own tools know them: the sources may not name them, this file included."""
    said = [
        run(sys.executable, "-c", "from pip._internal.models.index import PyPI as p; "
            "print(p.netloc); print(p.file_storage_domain)"),
        run("npm", "config", "get", "registry"),
        run("go", "env", "GOPROXY"),
    ]
    wheels = sorted(pathlib.Path("/usr/share/python-wheels").glob("pip-*.whl"))
    if wheels:
        said.append(run("env", f"PYTHONPATH={wheels[0]}", sys.executable, "-c",
                        "from pip._internal.models.index import PyPI as p; "
                        "print(p.netloc); print(p.file_storage_domain)"))
    for sources in ("/etc/apt/sources.list", *pathlib.Path("/etc/apt/sources.list.d").glob("*")):
        try:
            text = pathlib.Path(sources).read_text()
        except OSError:
            continue
        said += [url for url in re.findall(r"https?://[^/\s]+", text) if "debian" in url]
    hosts = set()
    for word in re.split(r"[\s,|]+", "\n".join(said)):
        host = re.sub(r"^https?://", "", word).split("/")[0].split(":")[0]
        if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", host) and not host[-1].isdigit():
            hosts.add(host)
    return hosts


def check_texts():
    hosts = public_hosts()
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for host in hosts:
                if host in line:
                    problem(path, number, "names a public registry's host: take it from the "
                                          "machine's configuration")
            if path.suffix in (".h", ".cc", ".py", ".sh", ".cmake", ".txt", "") and re.search(
                r"\b(TODO|FIXME|XXX)\b(?![^\n]*#\d)", line
            ) and path != pathlib.Path(__file__).resolve():
                problem(path, number, "a TODO names its issue: TODO(#12)")


def main():
    modules = read_modules()
    check_cycles(modules)
    check_sources(modules)
    check_shown()
    check_texts()
    for line in sorted(set(problems)):
        print(line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
