# Sourced by tests/cli/*.sh: one behaviour of the program each, as a user sees it.
#
#   . "$(dirname "$0")/common.sh"
#   project <<'TOML'
#   [image]
#   name = "x"
#   TOML
#   expect_error 2 "not a known key" slipway lock
#
# Each has an empty scratch folder as its working folder, with a store and a cache of its own. It is
# removed after success and named after failure. See tools/run_tests.sh for SLIPWAY and the rest;
# a test also runs by itself: `bash tests/cli/NAME.sh`.
set -u

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SLIPWAY_BUILD=${SLIPWAY_BUILD:-$top/build}
SLIPWAY=${SLIPWAY:-$SLIPWAY_BUILD/slipway}
TEST_CACHE=${TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-test}
scratch=${SCRATCH:-$(mktemp -d /var/tmp/slipway-cli.XXXXXX)}
own_scratch=${SCRATCH:+no}
export SLIPWAY_HOME=$scratch/store SLIPWAY_CACHE=$scratch/cache
export XDG_CONFIG_HOME=$scratch/config NO_COLOR=1 TERM=dumb

at_end() {
  local status=$?
  [ "$status" -eq 0 ] || [ "$status" -eq 77 ] || { echo "left in $scratch" >&2; return; }
  [ "$own_scratch" = no ] || rm -rf "$scratch"
}
trap at_end EXIT

skip() {
  echo "skip: $1"
  exit 77
}

fail() {
  echo "FAIL: $1" >&2
  [ ! -s "$scratch/err" ] || sed 's/^/  stderr: /' "$scratch/err" >&2
  exit 1
}

need() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || skip "$1 is not installed"; }
need_fuse() { [ -c /dev/fuse ] && : 2>/dev/null <>/dev/fuse || skip "/dev/fuse cannot be opened"; }
need_root() { [ "$(id -u)" -eq 0 ] || skip "needs root"; }

slipway() { "$SLIPWAY" "$@"; }

# project: slipway.toml in the working folder, from standard input
project() { cat >slipway.toml; }

# out COMMAND...: runs it; standard output is in $out, standard error in $err, the status in $status
out() {
  "$@" >"$scratch/out" 2>"$scratch/err"
  status=$?
  out=$(cat "$scratch/out")
  err=$(cat "$scratch/err")
}

# expect_ok COMMAND...
expect_ok() {
  out "$@"
  [ "$status" -eq 0 ] || fail "\`$*\` ended with $status"
}

# expect_error CODE TEXT COMMAND...: that exit code, one `error:` line, TEXT in what it said
expect_error() {
  local code=$1 text=$2
  shift 2
  out "$@"
  [ "$status" -eq "$code" ] || fail "\`$*\` ended with $status, not $code"
  [ "$(grep -c '^error: ' "$scratch/err")" -eq 1 ] || fail "\`$*\` said not exactly one \`error:\`"
  assert_contains "what \`$*\` said" "$text" "$err"
}

# assert_equal WHAT EXPECTED ACTUAL
assert_equal() {
  [ "$2" = "$3" ] || fail "$1: expected <$2>, got <$3>"
}

# assert_contains WHAT PART TEXT, assert_lacks WHAT PART TEXT
assert_contains() {
  case $3 in *"$2"*) ;; *) fail "$1: no <$2> in <$3>" ;; esac
}
assert_lacks() {
  case $3 in *"$2"*) fail "$1: <$2> in <$3>" ;; esac
}

assert_file() { [ -f "$1" ] || fail "there is no file $1"; }
assert_no_file() { [ ! -e "$1" ] || fail "there is $1"; }

[ -x "$SLIPWAY" ] || skip "no program $SLIPWAY: \`make build\` first"
mkdir -p "$scratch/project"
cd "$scratch/project" || exit 1
