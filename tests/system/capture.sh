#!/bin/bash
# `slipway capture`: a virtual environment becomes an image that behaves as it did. With real
# interpreters (Debian's python3; one of pyenv's and one of uv's where this machine has them) and,
# with network, real wheels; no network: packages made here.
# time-out: 900
. "$(dirname "$0")/../cli/common.sh"
need crun
export PYTHONDONTWRITEBYTECODE=1
system=/usr/bin/python3
[ -x $system ] && $system -c 'import venv, ensurepip' 2>/dev/null || skip "needs Debian's python3 with venv"

cat >question.py <<'PY'
import json, os, ssl, sqlite3, sys
def version(name):
    try:
        return str(__import__(name).__version__)
    except ImportError:
        return None
print(json.dumps({"version": sys.version, "path": sys.path[1:], "prefix": sys.prefix,
    "base": sys.base_prefix, "ssl": ssl.OPENSSL_VERSION, "sqlite": sqlite3.sqlite_version,
    "authorities": len(ssl.create_default_context().get_ca_certs()) > 0,
    "packages": {n: version(n) for n in ("numpy", "requests", "wheely", "edited", "pip")}}))
PY

# wheel NAME FILE...: a wheel with these files (each holds its own name), a script and a RECORD
wheel() {
  $system - "$@" <<'PY'
import base64, hashlib, sys, zipfile
name, files = sys.argv[1], sys.argv[2:]
info = f"{name}-1.0.dist-info"
members = {f: f"__version__ = '1.0'\nNAME = {f!r}\n".encode() for f in files}
members[f"{name}/__init__.py"] = b"__version__ = '1.0'\ndef main():\n    import sys; print(sys.prefix)\n"
members[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
members[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name}-says = {name}:main\n".encode()
record = ""
for path, data in members.items():
    record += f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
members[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
with zipfile.ZipFile(f"{name}-1.0-py3-none-any.whl", "w") as z:
    for path, data in members.items(): z.writestr(path, data)
PY
}

# state FOLDER: everything about it that a capture could change
state() { find "$1" -printf '%p %s %m %T@ %l\n' | sort | sha256sum; }

# same_inside IMAGE PYTHON: the image answers as the host did
same_inside() {
  local outside inside
  outside=$(env -i PATH=/usr/bin:/bin LANG=C.UTF-8 HOME=/root "$2" question.py) || fail "the host's $2 fails"
  inside=$(slipway run --rm --network none -v "$PWD/question.py:/question.py:ro" "$1" "$2" /question.py 2>"$scratch/err") ||
    fail "$2 in $1 fails"
  assert_equal "$2 in $1" "$outside" "$inside"
}

wheel wheely
wheel edited edited/changed.py
$system -m venv env >/dev/null || skip "python3 -m venv does not work here"
env/bin/pip install -q --no-index --no-compile ./wheely-1.0-py3-none-any.whl ./edited-1.0-py3-none-any.whl ||
  fail "pip install"
real=no
if env/bin/pip install -q --no-compile numpy requests 2>/dev/null; then real=yes; fi
site=$(echo env/lib/python3.*/site-packages)
echo "# by hand" >>"$site/edited/changed.py"
echo loose >"$site/loose.txt"
touch "$site/$(printf 'odd\377name.txt')"
printf '[global]\nindex-url = https://me:secret@index.invalid/simple\n' >env/pip.conf
before=$(state env)

expect_ok slipway capture --venv env --name cap:1 --offline --lock one.lock --json
digest=$(echo "$out" | $system -c 'import json, sys; print(json.load(sys.stdin)["digest"])')
assert_contains "what was said" "edited/changed.py" "$err"
assert_contains "what was said" "env/pip.conf" "$err"
assert_equal "the environment" "$before" "$(state env)"
assert_contains "the lock" 'name = "wheely"' "$(cat one.lock)"
assert_contains "the lock" 'odd\\xffname.txt' "$(cat one.lock)"
assert_contains "the lock" loose.txt "$(sed -n '/"the rest"/,/^\]/p' one.lock)"

same_inside cap:1 "$PWD/env/bin/python"
expect_ok slipway run --rm cap:1 -- "$PWD/env/bin/python" -c 'import ctypes
for name in ("libdl.so.2", "libpthread.so.0", "librt.so.1", "libm.so.6"): ctypes.CDLL(name)  # of a GPU driver'
assert_equal "pip list" "$(env/bin/pip list --format freeze --disable-pip-version-check)" \
  "$(slipway run --rm cap:1 pip list --format freeze --disable-pip-version-check 2>"$scratch/err")"
assert_equal "a console script" "$PWD/env" "$(slipway run --rm cap:1 wheely-says 2>"$scratch/err")"
assert_equal "secrets inside" absent \
  "$(slipway run --rm cap:1 sh -c "test -e $PWD/env/pip.conf || echo absent" 2>"$scratch/err")"
out slipway check cap:1 --glibc 2.17
[ "$status" -ne 2 ] && [ "$status" -ne 126 ] || fail "check of a captured image"

# Again, with another store and bytecode that came meanwhile: the same digest.
PYTHONDONTWRITEBYTECODE='' env/bin/python -c 'import wheely'
SLIPWAY_HOME=$scratch/store2 expect_ok slipway capture --venv env --name cap:1 --offline --json
assert_equal "the second digest" "$digest" "$(echo "$out" | $system -c 'import json, sys; print(json.load(sys.stdin)["digest"])')"

# First imports find bytecode that asks for no source's time: Python's own, a package's, a loose file's.
cached='import importlib, sys; sys.path.append("/tmp")
for name in "json", "wheely", "pip":
    path = importlib.import_module(name).__cached__
    print(name, open(path, "rb").read(8)[4:].hex())'
assert_equal "flags of the bytecode" "json 01000000
wheely 01000000
pip 01000000" "$(slipway run --rm cap:1 python -B -c "$cached" 2>"$scratch/err")"
expect_ok slipway capture --venv env --name cap:bare --offline --no-bytecode
out slipway run --rm cap:bare python -B -c "$cached"
[ "$status" -ne 0 ] || fail "--no-bytecode leaves bytecode"

# A library that LD_LIBRARY_PATH alone finds, and one that it finds before the system's.
if command -v cc >/dev/null && [ "$(uname -m)" = x86_64 ]; then
  mkdir -p libs/only libs/first libs/unused
  echo 'int answer(void) { return 42; }' >answer.c
  cc -shared -fPIC -o libs/only/libanswer.so.1 -Wl,-soname,libanswer.so.1 answer.c
  cc -shared -fPIC -o "$site/asks.so" -Wl,--no-as-needed answer.c libs/only/libanswer.so.1 -lz
  zlib=$(ldconfig -p | sed -n 's/.*libz\.so\.1 .*x86-64.* => //p' | head -n 1)
  cp "$(realpath "$zlib")" libs/first/libz.so.1
  loads='import ctypes, sys; ctypes.CDLL(sys.argv[1])
print(*sorted({l.split()[-1] for l in open("/proc/self/maps") if "libanswer" in l or "libz" in l}))'
  export LD_LIBRARY_PATH="$PWD/libs/unused:relative::$PWD/libs/first:$PWD/libs/only"
  expect_ok slipway capture --venv env --name cap:libs --offline
  assert_contains "what was said" "$PWD/libs/only/libanswer.so.1" "$err"
  assert_contains "what was said" "$PWD/libs/first/libz.so.1" "$err"
  outside=$(env/bin/python -c "$loads" "$site/asks.so") || fail "it does not load here"
  unset LD_LIBRARY_PATH
  assert_equal "what is loaded" "$outside" \
    "$(slipway run --rm cap:libs python -c "$loads" "$PWD/$site/asks.so" 2>"$scratch/err")"
  assert_equal "the image's variable" "$PWD/libs/first:$PWD/libs/only" \
    "$(slipway run --rm cap:libs sh -c 'echo "$LD_LIBRARY_PATH"' 2>"$scratch/err")"
  expect_ok slipway capture --venv env --name cap:nolibs --offline
  assert_contains "without the variable" "needs libanswer.so.1" "$err"
  rm "$site/asks.so"
fi

# Who may not read a file is told which; nothing is named.
expect_error 1 "no virtual environment" slipway capture --venv "$site" --name cap:no
expect_error 2 "\`--venv\` or \`--python\`" slipway capture --name cap:no

# Editable installs and .pth files: refused by name, brought along when asked.
mkdir -p project/src && echo "HERE = 1" >project/src/edible.py
echo "$PWD/project/src" >"$site/project.pth"
expect_error 2 "project.pth" slipway capture --venv env --name cap:no
expect_ok slipway capture --venv env --name cap:pth --include project/src
assert_equal "a .pth file" 1 "$(slipway run --rm cap:pth python -c 'import edible; print(edible.HERE)' 2>"$scratch/err")"
rm "$site/project.pth"

# A RECORD that lies, and one that is not there.
printf '../../../../../../etc/passwd,,\n/etc/shadow,,\n' >>"$site/wheely-1.0.dist-info/RECORD"
rm "$site/edited-1.0.dist-info/RECORD"
expect_ok slipway capture --venv env --name cap:lies
assert_contains "what was said" "not believed" "$err"
assert_contains "what was said" "edited 1.0" "$err"
same_inside cap:lies "$PWD/env/bin/python"

# An interpreter that does not work.
mkdir -p broken/bin && cp env/pyvenv.cfg broken/ && ln -s /nonexistent broken/bin/python
out slipway capture --venv broken --name cap:no
[ "$status" -eq 1 ] || fail "a broken interpreter: status $status"
assert_equal "images after failures" "" "$(slipway images 2>/dev/null | grep -w no)"

# Other interpreters: an environment of an environment, the system's packages, pyenv, uv.
env/bin/python -m venv --without-pip inner
$system -m venv --without-pip --system-site-packages open
for one in inner open; do
  expect_ok slipway capture --venv $one --name cap:$one
  same_inside cap:$one "$PWD/$one/bin/python"
done
for python in /root/.pyenv/versions/3.1[23]*/bin/python3; do
  [ -x "$python" ] || continue
  "$python" -m venv --without-pip pyenv || fail "a venv of $python"
  expect_ok slipway capture --venv pyenv --name cap:pyenv
  same_inside cap:pyenv "$PWD/pyenv/bin/python"
  break
done
if command -v uv >/dev/null && uv venv -q --no-project managed 2>/dev/null; then
  expect_ok slipway capture --venv managed --name cap:uv
  same_inside cap:uv "$PWD/managed/bin/python"
fi
[ $real = yes ] || echo "note: without network: numpy and requests were not tried"
echo ok
