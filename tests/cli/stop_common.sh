# Sourced by tests that stop a build half-way. See index_common.sh.
. "$(dirname "${BASH_SOURCE[0]}")/index_common.sh"

# stop_at SIGNAL WHAT CONDITION: a build that is sent SIGNAL once the shell text CONDITION holds.
# Its status is in $status. Seconds are generous: the machine may be busy.
stop_at() {
  local signal=$1 what=$2 condition=$3 tries=0
  # A shell's background jobs ignore SIGINT unless they have a job-control group of their own.
  set -m
  "$SLIPWAY" build --locked >"$scratch/out" 2>"$scratch/err" &
  local process=$!
  set +m
  until eval "$condition" >/dev/null 2>&1; do
    kill -0 "$process" 2>/dev/null || fail "the build ended before it was $what"
    tries=$((tries + 1))
    [ "$tries" -lt 6000 ] || fail "the build is never $what"
    read -r -t 0.02 <> <(:) || true
  done
  case $signal in
  INT) kill -INT -- "-$process" ;;  # as a terminal does: to all of the foreground
  *) kill -"$signal" "$process" ;;
  esac
  local began=$SECONDS
  wait "$process" 2>/dev/null
  status=$?
  [ $((SECONDS - began)) -le 4 ] || fail "$what: it took $((SECONDS - began)) s to stop"
  local roots
  roots=$(readlink /proc/[0-9]*/root /proc/[0-9]*/cwd 2>/dev/null | grep "^$SLIPWAY_HOME")
  [ -z "$roots" ] || fail "$what: processes go on in $roots"
}

# At which moment: for CONDITION
downloading='[ -s "$(ls "$SLIPWAY_CACHE"/files/*/heavy*.part)" ]'
layering='find "$SLIPWAY_HOME"/tmp -name noise.bin -size +1M | grep -q .'
installing='ls "$SLIPWAY_HOME"/tmp/*/var/lib/dpkg/info/*.list'
compiling='find "$SLIPWAY_CACHE"/bytecode -name "*.pyc" | grep -q making'
