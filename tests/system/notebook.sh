#!/bin/bash
# time-out: 900
# The command that everybody knows: `run -p 8888:8888 IMAGE` is a JupyterLab with a token, as the
# normal user; under slipway, and under dockerd.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/dockerd.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_root
need pasta
need dockerd
need curl

project <<'TOML'
[image]
name = "notebook"
[python]
packages = ["jupyterlab"]
TOML
expect_ok slipway lock
expect_ok slipway build

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
status_of() { curl -s -o /dev/null -m 5 -w '%{http_code}' "$@"; }
until_answered() { # URL: at most a minute
  for _ in $(seq 240); do
    [ "$(status_of "$1")" = 000 ] || return 0
    sleep 0.25
  done
  fail "nothing answers at $1"
}
name=notebook-$$
at_end_too() {
  slipway rm -f "$name" "$name-host" >/dev/null 2>&1
  at_end
}
trap at_end_too EXIT

# A private network: the port leads in, with the token and not without.
expect_ok slipway run -d --name "$name" -p "$port:8888" --gpus auto notebook
url=$(sed -n "s/.*JupyterLab: //p" <<<"$err")
assert_contains "one address, with a token" "http://127.0.0.1:$port/lab?token=" "$url"
token=${url#*token=}
[ ${#token} -ge 32 ] || fail "the token \`$token\` is short"
until_answered "http://127.0.0.1:$port/api"
assert_equal "without the token" 403 "$(status_of "http://127.0.0.1:$port/api/contents")"
assert_equal "with another" 403 "$(status_of "http://127.0.0.1:$port/api/contents?token=${token}x")"
assert_equal "with it" 200 "$(status_of "http://127.0.0.1:$port/api/contents?token=$token")"
expect_ok slipway exec "$name" sh -c 'ps -o user= -p 1 2>/dev/null || stat -c %U /proc/1'
assert_equal "who it runs as" dev "$out"
out slipway logs "$name"
assert_lacks "the token stands in no log" "$token" "$out$err"
expect_ok slipway stop -t 5 "$name"
expect_ok slipway rm -f "$name"

# Another start, another token; one's own is taken as it is, and not said.
expect_ok slipway run -d --name "$name" -p "$port:8888" -e JUPYTER_TOKEN=ours notebook
assert_lacks "a token of one's own is not said" "token=" "$err"
until_answered "http://127.0.0.1:$port/api"
assert_equal "with one's own" 200 "$(status_of "http://127.0.0.1:$port/api/contents?token=ours")"
expect_ok slipway rm -f "$name"

# Root gets no notebook, and a port that leads elsewhere is told.
out slipway run --rm -p "$port:8888" --user 0 notebook
[ "$status" -ne 0 ] || fail "root was given a notebook"
assert_contains "root is refused" "root" "$out$err"

# On the host's network it is this machine's alone.
if [ "$(status_of http://127.0.0.1:8888/)" = 000 ]; then
  expect_ok slipway run -d --name "$name-host" --network host notebook
  until_answered http://127.0.0.1:8888/api
  assert_equal "no other address listens" "127.0.0.1:8888" "$(ss -Hltn 'sport = :8888' | awk '{ print $4 }')"
  expect_ok slipway rm -f "$name-host"
fi

# dockerd, which knows nothing of slipway: the same image, with a token that jupyter makes up.
start_dockerd
expect_ok slipway save --format docker -o image.tar
expect_ok docker load -q -i image.tar
expect_ok docker run -d --network host -e SLIPWAY_LISTEN=127.0.0.1 notebook:latest
id=$out
until_answered http://127.0.0.1:8888/api
token=$(docker logs "$id" 2>&1 | sed -n 's/.*token=\([0-9a-f]*\).*/\1/p' | head -n 1)
assert_equal "docker, without the token" 403 "$(status_of http://127.0.0.1:8888/api/contents)"
assert_equal "docker, with it" 200 "$(status_of "http://127.0.0.1:8888/api/contents?token=$token")"
expect_ok docker rm -f "$id"
stop_dockerd
