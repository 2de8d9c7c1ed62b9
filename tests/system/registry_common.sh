# Sourced: real registries on ports of this machine's choice, with their data under $scratch.
#
#   start_registry NAME [PROGRAM] [USER:PASSWORD]   sets $registry to its host:port
#   stop_registries
registry_processes=()

# find_registry: the registries that are here, one a line: Debian's, and one of today that was built
# by `go` into $TEST_CACHE (nothing of it where go or the network is missing).
find_registries() {
  local program
  for program in docker-registry /usr/bin/docker-registry; do
    command -v "$program" && break
  done
  local built=$TEST_CACHE/registry/bin/registry
  if [ ! -x "$built" ] && command -v go >/dev/null; then
    mkdir -p "$TEST_CACHE/registry"
    GOBIN=$TEST_CACHE/registry/bin GOPATH=$TEST_CACHE/registry/go GOFLAGS=-modcacherw \
      timeout 240 go install github.com/distribution/distribution/v3/cmd/registry@latest \
      >"$TEST_CACHE/registry/log" 2>&1 || echo "note: no registry of today: $(tail -1 "$TEST_CACHE/registry/log")" >&2
    rm -rf "$TEST_CACHE/registry/go"
  fi
  [ ! -x "$built" ] || echo "$built"
}

start_registry() {
  local name=$1 program=${2:-docker-registry} login=${3:-} auth=
  mkdir -p "$scratch/$name"
  if [ -n "$login" ]; then
    htpasswd -Bbn "${login%%:*}" "${login#*:}" >"$scratch/$name/htpasswd" || fail "htpasswd"
    auth="auth: {htpasswd: {realm: test, path: $scratch/$name/htpasswd}}"
  fi
  cat >"$scratch/$name/config.yml" <<YML
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $scratch/$name/data}, delete: {enabled: true}}
http: {addr: "127.0.0.1:${4:-0}", secret: test}
$auth
YML
  OTEL_TRACES_EXPORTER=none "$program" serve "$scratch/$name/config.yml" >"$scratch/$name/log" 2>&1 &
  registry_processes+=($!)
  registry_process=$!
  trap 'stop_registries; at_end' EXIT
  registry=
  for _ in $(seq 300); do
    [ -e "$scratch/$name/log" ] && registry=$(sed -n 's/.*listening on \(127[0-9.]*:[0-9]*\).*/\1/p' "$scratch/$name/log" | head -1)
    [ -z "$registry" ] || return 0
    kill -0 "$registry_process" 2>/dev/null || break
    sleep 0.1
  done
  fail "no registry: $(tail -3 "$scratch/$name/log")"
}

stop_registries() {
  local process
  for process in "${registry_processes[@]}"; do
    kill "$process" 2>/dev/null && wait "$process" 2>/dev/null
  done
  registry_processes=()
}
