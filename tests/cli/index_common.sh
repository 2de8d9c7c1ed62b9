# Sourced by tests/cli/*.sh that lock and build: a Python index of their own (fake_web.py) beside
# the real Debian archive, whose base layer is built once and kept in $TEST_CACHE.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need python3
web=$scratch/web
mkdir -p "$web/wheels" "$web/static" "$XDG_CONFIG_HOME/slipway"
export SLIPWAY_HOME=${SHARED_STORE:-$TEST_CACHE/store-cli}
export SLIPWAY_CACHE=$TEST_CACHE/cache-cli
mkdir -p "$TEST_CACHE"

# wheels NAME...: those of make_wheels.py, in the index
wheels() { python3 "$top/tests/cli/make_wheels.py" "$web/wheels" "$@" || fail "no wheels"; }

coproc WEB { exec python3 "$top/tests/cli/fake_web.py" "$web" 2>"$scratch/web.err"; }
read -r port <&"${WEB[0]}" || fail "the fake index does not start: $(cat "$scratch/web.err")"
index=http://127.0.0.1:$port

# configure [LINE...]: config.toml with our index, and these lines
configure() {
  printf '%s\n' '[index.pypi]' "url = \"${pypi:-$index/simple}\"" "$@" \
    >"$XDG_CONFIG_HOME/slipway/config.toml"
}
configure

# faults LINE...: as fake_web.py takes them; none: the index is well again
faults() { printf '%s\n' "$@" | sed '/^$/d' >"$web/faults"; }

# Part of every environment: the real ones, kept beside the downloads.
[ -e "$TEST_CACHE/pip" ] || { mkdir -p "$TEST_CACHE/pip.$$" &&
  python3 -m pip download -q --no-deps -d "$TEST_CACHE/pip.$$" pip==24.0 setuptools==70.3.0 \
    >/dev/null 2>&1 && mv -T "$TEST_CACHE/pip.$$" "$TEST_CACHE/pip"; } ||
  skip "cannot download pip and setuptools"
cp "$TEST_CACHE"/pip/*.whl "$web/wheels/"

# ask PACKAGE...: a project that wants these; lines for slipway.toml's end from $more
ask() {
  local packages=
  for package in "$@"; do packages="$packages\"$package\", "; done
  rm -f slipway.lock
  project <<TOML
[image]
name = "${image:-cli-test}"
tag = "${tag:-latest}"
[base]
debian = "bookworm"
[python]
version = "3.11"
packages = [${packages%, }]
${more:-}
TOML
}

# digest: of the image that `slipway build` makes
build_digest() {
  expect_ok slipway build --locked --json
  digest=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["digest"])' \
    "$scratch/out")
}

# own_store: a store of this test's own that knows the Debian base and pip already
own_store() {
  image=base ask
  expect_ok slipway build
  mkdir -p "$scratch/store"
  cp -a --reflink=auto "$SLIPWAY_HOME/." "$scratch/store"
  export SLIPWAY_HOME=$scratch/store
}

store_state() { find "$SLIPWAY_HOME"/{blobs,layers,recipes,refs} -maxdepth 2 | sort; }
remember_store() { before=$(store_state); }
# same_store WHEN: nothing came, nothing went, nothing half-made is left
same_store() {
  assert_equal "the store after $1" "$before" "$(store_state)"
  nothing_left "$1"
}
nothing_left() {
  local left
  left=$(ls -A "$SLIPWAY_HOME/tmp" 2>/dev/null)
  [ -z "$left" ] || fail "after $1 there is something left in tmp/: $left"
}
