#!/bin/bash
# `slipway capture` by an ordinary user: the same digest as root's, and a file that the user may not
# read is named, with nothing left behind.
. "$(dirname "$0")/../cli/common.sh"
need crun
need_root
need setpriv
need newuidmap
/usr/bin/python3 -c 'import venv, ensurepip' 2>/dev/null || skip "needs Debian's python3 with venv"
id slipway-test >/dev/null 2>&1 && grep -q '^slipway-test:' /etc/subuid || skip "needs the user slipway-test"
as_user() {
  setpriv --reuid slipway-test --regid slipway-test --init-groups --reset-env \
    env SLIPWAY_HOME="$scratch/user/store" SLIPWAY_CACHE="$scratch/user/cache" NO_COLOR=1 "$@"
}
as_user unshare --user true 2>/dev/null || skip "an ordinary user may not make a user namespace here"
digest() { /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["digest"])' <<<"$out"; }

mkdir "$scratch/user" && cp "$SLIPWAY" "$scratch/program" && chmod 755 "$scratch/program"
chown slipway-test "$scratch/user" && cd "$scratch/user" || fail "no folder"
as_user /usr/bin/python3 -m venv env || fail "python3 -m venv"
expect_ok as_user "$scratch/program" capture --venv env --name cap:1 --offline --json
users=$(digest)
assert_equal "inside" "$PWD/env" \
  "$(as_user "$scratch/program" run --rm cap:1 python -c 'import sys; print(sys.prefix)' 2>"$scratch/err")"
expect_ok slipway capture --venv env --name cap:1 --offline --json
assert_equal "the digest by root and by a user" "$users" "$(digest)"

chown root env/bin/activate && chmod 600 env/bin/activate
expect_error 1 "env/bin/activate" as_user "$scratch/program" capture --venv env --name cap:2
assert_equal "what was begun" "" "$(ls "$scratch/user/store/tmp")"
echo ok
