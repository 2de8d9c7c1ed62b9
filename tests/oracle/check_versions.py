"""Compares src/version with the `packaging` library: check_versions.py PROGRAM [COUNT] [SEED].

PROGRAM is version_answers.cc. COUNT generated questions (100,000), the same ones for the same SEED.
Each kind of question has its share. Ends with 1 and the first differences where there are any.
"""
import random
import subprocess
import sys

from packaging import _manylinux, tags
from packaging.markers import InvalidMarker, Marker, UndefinedComparison
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import (InvalidName, InvalidWheelFilename, canonicalize_name,
                             parse_wheel_filename)
from packaging.version import InvalidVersion, Version

SEPARATOR = "\x1f"
# `~=` and `===` between texts that are no versions: packaging fails as a whole when it comes to one,
# Slipway takes them for `no` and `==`, so that one odd marker does not make a package unusable.
UNDEFINED = "undefined"
SHARES = {"compare": 0.3, "contains": 0.3, "marker": 0.2, "requirement": 0.1, "wheel": 0.1}


# A wheel's name that cannot be read and one without a fitting tag: neither is ever installed.
NOT_TAKEN = {"none", "error"}


class Generator:
    """Text that is mostly right: in all spellings that PEP 440 and 508 allow, and some they do not."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def maybe(self, probability, make):
        return make() if self.random.random() < probability else ""

    def number(self):
        return self.pick("0", "0", "1", "1", "2", "3", "9", "10", "12", "00", "01", "2024", "20240131",
                         str(self.random.randrange(300)))

    def phase(self):
        return self.pick("", "", ".", "-", "_") + self.pick(
            "a", "b", "rc", "alpha", "beta", "c", "pre", "preview", "A", "RC", "Beta") + \
            self.pick("", ".", "-", "_", "") + self.maybe(0.85, self.number)

    def post(self):
        if self.random.random() < 0.25:
            return "-" + self.number()
        return self.pick(".", "", "-", "_") + self.pick("post", "rev", "r", "POST") + \
            self.pick("", "", ".", "-") + self.maybe(0.85, self.number)

    def dev(self):
        return self.pick(".", ".", "", "-", "_") + self.pick("dev", "dev", "DEV") + \
            self.pick("", "", ".", "-") + self.maybe(0.85, self.number)

    def local(self):
        part = lambda: self.pick("cu124", "cpu", "1", "2", "01", "10", "abc", "1a", "ubuntu", "ABC")
        return "+" + part() + "".join(self.pick(".", "-", "_") + part()
                                      for _ in range(self.random.choice((0, 0, 0, 1, 2))))

    def release(self):
        parts = self.random.choice((1, 2, 2, 2, 3, 3, 3, 4, 6))
        return ".".join(self.number() for _ in range(parts))

    def version(self, local=0.15):
        text = self.maybe(0.05, lambda: "v") + self.maybe(0.07, lambda: self.number() + "!")
        text += self.release() + self.maybe(0.3, self.phase) + self.maybe(0.15, self.post)
        text += self.maybe(0.15, self.dev) + self.maybe(local, self.local)
        return self.spoilt(text)

    def near(self, text):
        """Another version that differs in one thing, so that the interesting orders come up."""
        change = self.random.randrange(7)
        base = text.split("+")[0]
        if change == 0:
            return base + self.local()
        if change == 1:
            return base + ".0"
        if change == 2:
            return base + self.dev()
        if change == 3:
            return base + self.post()
        if change == 4:
            return base + self.phase()
        if change == 5:
            return text.upper()
        return self.version()

    def spoilt(self, text):
        if self.random.random() > 0.04 or not text:
            return text
        at = self.random.randrange(len(text))
        return text[:at] + self.pick(" ", ".", "-", "+", "!", "x", "*", "", "..", "é") + text[at:]

    def clause(self, version=None):
        operator = self.pick("==", "==", "!=", "<=", ">=", ">=", "<", ">", "~=", "===")
        text = version or self.version()
        if operator in ("==", "!=") and self.random.random() < 0.35:
            text = self.pick(self.release(), text.split("+")[0]) + ".*"
        blank = self.pick("", "", "", " ")
        return operator + blank + text

    def specifiers(self, version=None):
        count = self.random.choice((1, 1, 1, 2, 2, 3))
        return self.pick(",", ",", ", ").join(self.clause(version if self.random.random() < 0.5 else None)
                                    for _ in range(count))

    def literal(self, variable):
        if variable.endswith("version") or variable == "platform_release":
            # 3.9 to 3.13 most of the time, and what people write instead.
            return self.pick("3.8", "3.9", "3.10", "3.11", "3.11.4", "3.11.5", "3.12", "3.13", "3",
                             "3.11.*", "3.*", "2.7", "4", "4.0", "3.10.0rc1", "", "3.9 3.11",
                             "3.11, 3.12", "x", self.version())
        if variable == "extra":
            return self.pick("test", "Test", "dev", "a_b", "A.B")
        return self.pick("linux", "Linux", "linux2", "win32", "darwin", "Windows", "posix", "nt", "x86_64",
                         "aarch64", "CPython", "cpython", "PyPy", "x86_64 aarch64", "")

    def comparison(self):
        variable = self.pick(
            "python_version", "python_version", "python_full_version", "os_name", "sys_platform",
            "platform_machine", "platform_system", "platform_python_implementation",
            "implementation_name", "implementation_version", "platform_release", "platform_version",
            "extra", "os.name", "sys.platform", "platform.machine", "python_implementation", "nonsense"
            if self.random.random() < 0.05 else "extra")
        operator = self.pick("==", "==", "!=", "<", "<=", ">", ">=", "in", "not in")
        if self.random.random() < (0.2 if variable.endswith("version") else 0.01):
            operator = self.pick("~=", "~=", "===")
        if variable == "extra" and operator[-1] == "n":
            operator = "=="  # no extra is `in` every text there, as the empty text; here in none
        quote = self.pick('"', "'")
        sides = [variable, quote + self.literal(variable) + quote]
        if self.random.random() < 0.2:
            sides.reverse()
        blank = " " if operator[-1] == "n" else self.pick(" ", " ", "")
        return sides[0] + blank + operator + blank + sides[1]

    def marker(self, depth=0):
        if depth > 2 or self.random.random() < 0.5:
            return self.comparison()
        text = self.pick(" and ", " or ").join(self.marker(depth + 1)
                                               for _ in range(self.random.choice((2, 2, 3))))
        return "(" + text + ")" if self.random.random() < 0.5 else text

    def name(self):
        text = self.pick("requests", "Zope.Interface", "a", "A_b", "typing-extensions", "x.y-z_0", "0")
        return self.pick("", "", "", "", "-", "_") + text + self.pick("", "", "", "", ".") \
            if self.random.random() < 0.1 else text

    def requirement(self):
        text = self.name() + self.pick("", "", " ")
        if self.random.random() < 0.3:
            text += "[" + self.pick(",", ", ").join(self.name() for _ in range(
                self.random.choice((0, 1, 1, 2, 3)))) + "]"
        if self.random.random() < 0.1:
            text += " @ " + self.pick("https://example.org/a.whl", "file:///a.whl#sha256=0", "a")
            return text + self.maybe(0.5, lambda: self.pick(" ; ", " ;") + self.marker())
        specifiers = self.maybe(0.7, self.specifiers)
        if "===" in specifiers:  # which takes all up to the next blank: here the comma ends it
            specifiers = specifiers.replace(" ", "")
        if specifiers and self.random.random() < 0.2:
            specifiers = "(" + specifiers + ")"
        return self.spoilt(text + specifiers + self.maybe(0.4, lambda: self.pick(";", " ; ", "; ") + self.marker()))

    def wheel(self):
        name = self.pick("torch", "Zope.Interface", "a_b", "x", "x1", "numpy", "y", "A_B", "a__b")
        build = self.pick("", "", "", "", "", "", "", "-1", "-2abc", "-x")
        version = self.version(0.1).replace("-", "_")
        python = self.pick("cp311", "cp39", "cp313", "cp312", "cp36", "py3", "py2.py3", "py311", "py39",
                           "py310", "cp2", "CP311", "cp310.cp311", "pp39", "py30", "cp32", "cp31", "py2")
        abi = self.pick("none", "none", "abi3", "cp311", "cp39", "cp312", "cp313", "cp311t", "cp313t",
                        "abi3.none", "CP311", "cp36m")
        platform = self.pick(
            "any", "any", "linux_x86_64", "manylinux1_x86_64", "manylinux2010_x86_64",
            "manylinux2014_x86_64", "manylinux2014_aarch64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64",
            "manylinux_2_28_aarch64", "manylinux_2_5_x86_64", "manylinux_2_4_x86_64", "manylinux_2_36_x86_64",
            "manylinux_2_37_x86_64", "manylinux_3_0_x86_64", "musllinux_1_2_x86_64", "win_amd64",
            "macosx_11_0_arm64", "manylinux_2_17_x86_64.manylinux2014_x86_64", "linux_aarch64", "LINUX_x86_64")
        # Not the tags: packaging takes any character there, Slipway those that a tag can have.
        return self.spoilt(f"{name}-{version}{build}") + f"-{python}-{abi}-{platform}.whl"

    def question(self, kind):
        if kind == "compare":
            left = self.version(0.25)
            right = self.near(left) if self.random.random() < 0.6 else self.version(0.25)
            return [left, right]
        if kind == "contains":
            version = self.version(0.2)
            near = self.near(version) if self.random.random() < 0.5 else version
            return [self.spoilt(self.specifiers(near)), version]
        if kind == "marker":
            return [self.spoilt(self.marker()), self.pick("9", "10", "11", "12", "13"),
                    self.pick("", "", "test", "dev", "a-b")]
        if kind == "requirement":
            return [self.requirement()]
        return [self.wheel(), self.pick("9", "10", "11", "12", "13"), self.pick("17", "28", "31", "36"),
                self.pick("x86_64", "x86_64", "x86_64", "aarch64")]


def environment(minor):
    full = f"3.{minor}.4"
    return {"python_version": f"3.{minor}", "python_full_version": full, "os_name": "posix",
            "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64",
            "platform_release": "", "platform_version": "", "platform_python_implementation": "CPython",
            "implementation_name": "cpython", "implementation_version": full}


def holds(marker, minor, extra):
    try:
        return "yes" if marker.evaluate(environment(minor) | {"extra": extra}) else "no"
    except UndefinedComparison:
        return UNDEFINED


RANKS = {}


def ranks(minor, glibc, architecture):
    """The target's tags in packaging's own order."""
    key = (minor, glibc, architecture)
    if key not in RANKS:
        _manylinux._get_glibc_version = lambda: (2, glibc)
        _manylinux._have_compatible_abi = lambda executable, archs: True
        platforms = [*_manylinux.platform_tags([architecture]), "linux_" + architecture]
        interpreter = f"cp3{minor}"
        order = [*tags.cpython_tags((3, minor), [interpreter], platforms),
                 *tags.compatible_tags((3, minor), interpreter, platforms)]
        RANKS[key] = {tag: rank for rank, tag in reversed(list(enumerate(order)))}
    return RANKS[key]


def expected(kind, fields):
    try:
        if kind == "compare":
            left, right = Version(fields[0]), Version(fields[1])
            return f"{left} {'<' if left < right else '=' if left == right else '>'} {right}"
        if kind == "contains":
            version = Version(fields[1])
            return "yes" if SpecifierSet(fields[0]).contains(version, prereleases=True) else "no"
        if kind == "marker":
            return holds(Marker(fields[0]), fields[1], fields[2])
        if kind == "requirement":
            parsed = Requirement(fields[0])
            text = canonicalize_name(parsed.name) + "["
            text += "".join(extra + "," for extra in sorted({canonicalize_name(e) for e in parsed.extras}))
            clauses = {f"{s.operator}{normal(s.operator, s.version)}" for s in parsed.specifier}
            text += "]" + "".join(clause + "," for clause in sorted(clauses))
            text += "@" + parsed.url if parsed.url else ""
            if not parsed.marker:
                return text
            held = holds(parsed.marker, 11, "")
            return held if held == UNDEFINED else text + ";" + held
        canonicalize_name(fields[0].split("-")[0], validate=True)  # `a.` is no name (PEP 508)
        wheel = parse_wheel_filename(fields[0])
        order = ranks(int(fields[1]), int(fields[2]), fields[3])
        found = [order[tag] for tag in wheel[3] if tag in order]
        return str(min(found)) if found else "none"
    except (InvalidVersion, InvalidSpecifier, InvalidMarker, InvalidRequirement, InvalidWheelFilename,
            InvalidName):
        return "error"


def normal(operator, version):
    if operator == "===":
        return version.lower()
    if version.endswith(".*"):
        return str(Version(version[:-2])) + ".*"
    return str(Version(version))


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    generator = Generator(seed)
    questions = [(kind, generator.question(kind))
                 for kind, share in SHARES.items() for _ in range(round(count * share))]
    text = "".join(SEPARATOR.join([kind, *fields]) + "\n" for kind, fields in questions)
    answers = subprocess.run([program], input=text.encode(), stdout=subprocess.PIPE, check=True)
    answers = answers.stdout.decode().splitlines()
    assert len(answers) == len(questions), (len(answers), len(questions))
    wrong, refused, undefined = {}, {}, 0
    for (kind, fields), got in zip(questions, answers):
        want = expected(kind, fields)
        refused[kind] = refused.get(kind, 0) + (want == "error")
        undefined += want == UNDEFINED
        if kind == "wheel" and {got, want} <= NOT_TAKEN or want == UNDEFINED:
            continue
        if got != want:
            wrong.setdefault(kind, []).append((fields, want, got))
    for kind, share in SHARES.items():
        print(f"{kind}: {round(count * share)} questions, {refused[kind]} that cannot be read, "
              f"{len(wrong.get(kind, []))} differences")
        for fields, want, got in wrong.get(kind, [])[:12]:
            print(f"    {fields}: packaging says {want!r}, Slipway {got!r}")
    print(f"{undefined} markers that `packaging` leaves undefined were left out")
    return 1 if wrong or undefined > count / 25 else 0


if __name__ == "__main__":
    sys.exit(main())
