#!/bin/bash
# `slipway capture` names the wheels that packages came from: those whose RECORD is the installed one, read in
# ranges from an index of our own, and those that the installer noted. No network is no failure and no wait.
. "$(dirname "$0")/../cli/common.sh"
need jq
need unshare
need_root
system=/usr/bin/python3
$system -c 'import venv, ensurepip' 2>/dev/null || skip "needs Debian's python3 with venv"
web=$scratch/web
mkdir -p "$web/wheels" "$web/static" "$XDG_CONFIG_HOME/slipway"
coproc WEB { exec $system "$top/tests/cli/fake_web.py" "$web" 2>"$scratch/web.err"; }
read -r port <&"${WEB[0]}" || fail "the fake index does not start: $(cat "$scratch/web.err")"
printf '%s\n' '[index.pypi]' "url = \"http://127.0.0.1:$port/simple\"" >"$XDG_CONFIG_HOME/slipway/config.toml"
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export no_proxy=127.0.0.1 PIP_CONFIG_FILE=/dev/null

$system "$top/tests/cli/make_wheels.py" "$web/wheels" exact==1.0 rebuilt==1.0 other==1.0 noted==1.0 local==1.0 || fail "no wheels"
$system -m venv --without-pip env
pip() { $system -m pip --python env/bin/python "$@"; }
pip --version >/dev/null 2>&1 || { $system -m venv tools && pip() { tools/bin/pip --python env/bin/python "$@"; }; }
for name in exact rebuilt other; do
  pip install -q --no-index --find-links "$web/wheels" "$name" 2>"$scratch/err" || fail "pip install $name"
done
mkdir elsewhere && mv "$web"/wheels/local-* "$web"/wheels/noted-* elsewhere/
hash=$(sha256sum <elsewhere/noted-1.0-py3-none-any.whl | cut -c -64)
pip install -q --no-index "noted @ file://$PWD/elsewhere/noted-1.0-py3-none-any.whl#sha256=$hash" 2>"$scratch/err" || fail "pip install of a file"
# The index's file is of the same name and version, and another: its RECORD decides.
$system - "$web/wheels/rebuilt-1.0-py3-none-any.whl" <<'PY'
import base64, hashlib, sys, zipfile
path = sys.argv[1]
with zipfile.ZipFile(path) as old: files = {n: old.read(n) for n in old.namelist()}
changed = next(n for n in files if n.endswith("__init__.py"))
before = base64.urlsafe_b64encode(hashlib.sha256(files[changed]).digest()).rstrip(b"=")
files[changed] = b"x = 2\n"
after = base64.urlsafe_b64encode(hashlib.sha256(files[changed]).digest()).rstrip(b"=")
record = next(n for n in files if n.endswith("/RECORD"))
files[record] = files[record].replace(before, after)
with zipfile.ZipFile(path, "w") as new:
    for name, data in files.items(): new.writestr(name, data)
PY
rm "$web"/wheels/other-*

# of NAME: its table in the lock
of() { sed -n "/^name = \"$1\"/,/^\[\[/p" "$2"; }
expect_ok slipway capture --venv env --name origin:1 --lock one.lock
hash=$(sha256sum <"$web/wheels/exact-1.0-py3-none-any.whl" | cut -c -64)
assert_contains "an exact one" "index = \"pypi\"
wheel = \"exact-1.0-py3-none-any.whl\"
wheel-sha256 = \"$hash\"" "$(of exact one.lock)"
hash=$(sha256sum <elsewhere/noted-1.0-py3-none-any.whl | cut -c -64)
assert_contains "one that pip noted" "wheel = \"noted-1.0-py3-none-any.whl\"
wheel-sha256 = \"$hash\"" "$(of noted one.lock)"
assert_lacks "one that pip noted" "index =" "$(of noted one.lock)"
for name in rebuilt other; do assert_lacks "$name" "wheel =" "$(of $name one.lock)"; done
assert_contains "what was said" "rebuilt 1.0: no wheel of its index has its RECORD" "$err"
assert_contains "what was said" "other 1.0: no wheel of its index has its RECORD" "$err"
assert_lacks "what was said" "  exact 1.0: " "$err"
# In ranges, and once: what is known is not asked for again.
assert_equal "requests for the wheel" 1 "$(grep -c '/files/exact' "$web/requests")"
expect_ok slipway capture --venv env --name origin:1 --lock two.lock
cmp one.lock two.lock || fail "two locks of one environment differ"
assert_equal "requests for the wheel after another capture" 1 "$(grep -c '/files/exact' "$web/requests")"
# The image carries the same lock.
expect_ok slipway run --rm origin:1 python -c "print(open(\"/usr/share/slipway/captured.lock\").read(), end=\"\")"
assert_equal "the image's lock" "$(cat one.lock)" "$out"

# An index in trouble: said, and nothing is waited for.
for fault in 503 html whole empty; do
  echo "$fault exact" >"$web/faults"
  export SLIPWAY_CACHE=$scratch/cache-$fault
  began=$SECONDS
  expect_ok slipway capture --venv env --name "origin:$fault" --lock fault.lock
  [ $((SECONDS - began)) -lt 20 ] || fail "$fault: waited $((SECONDS - began)) seconds"
  assert_lacks "$fault" "wheel =" "$(of exact fault.lock)"
  case $fault in
  503 | empty) assert_contains "$fault" "not all packages were looked for" "$err" ;;
  *) assert_contains "$fault" "  exact 1.0: " "$err" ;;
  esac
done
rm "$web/faults"

# Without network, and with `--offline`: the installer's notes alone, the same image.
export SLIPWAY_CACHE=$scratch/cache-none
began=$SECONDS
expect_ok unshare --net "$SLIPWAY" capture --venv env --name origin:none --lock none.lock --json
[ $((SECONDS - began)) -lt 20 ] || fail "without network: waited $((SECONDS - began)) seconds"
digest=$(jq -r .digest <<<"$out")
assert_contains "without network" "not all packages were looked for" "$err"
: >"$web/requests"
expect_ok slipway capture --venv env --name origin:none --offline --json --lock offline.lock
assert_equal "with --offline" "$digest" "$(jq -r .digest <<<"$out")"
assert_equal "requests with --offline" "" "$(cat "$web/requests")"
cmp none.lock offline.lock || fail "--offline and no network differ"
assert_contains "noted" "noted-1.0-py3-none-any.whl" "$(of noted offline.lock)"
echo ok
