# Sourced: real registries on ports of this machine's choice, with their data under $scratch.
#
#   start_registry NAME [PROGRAM] [plain|login|tls]   sets $registry to its host:port
#
# With `login` it wants the user `me` with the password `secret`; with `tls` its certificate is one
# that nobody has signed.
#   start_registry_proxy   before $registry, as bad as the file `settings` says (registry_proxy.py),
#                          which begins empty; sets $near to its host:port; `asked` tells what was
#                          asked for
#   stop_registries
. "$(dirname "${BASH_SOURCE[0]}")/once_common.sh"
registry_processes=()

# find_registry: the registries that are here, one a line: Debian's, and one of today that was built
# by `go` into $TEST_CACHE (nothing of it where go or the network is missing).
find_registries() {
  local program
  for program in docker-registry /usr/bin/docker-registry; do
    command -v "$program" && break
  done
  local kept=$TEST_CACHE/registry
  once registry build_registry "$kept"
  [ ! -x "$kept/bin/registry" ] || echo "$kept/bin/registry"
}
build_registry() {
  [ ! -x "$1/bin/registry" ] && command -v go >/dev/null || return 0
  mkdir -p "$1"
  GOBIN=$1/bin GOPATH=$1/go GOFLAGS=-modcacherw \
    timeout 240 go install github.com/distribution/distribution/v3/cmd/registry@latest \
    >"$1/log" 2>&1 || echo "note: no registry of today: $(tail -1 "$1/log")" >&2
  rm -rf "$1/go"
}

start_registry() {
  local name=$1 program=${2:-docker-registry} kind=${3:-plain} auth= tls=
  mkdir -p "$scratch/$name"
  if [ "$kind" = login ]; then
    # bcrypt of `secret`
    echo 'me:$2b$04$mYyP/V4AR5iU9RvePp9rJujjPZmEylL86vNYS6HfRwoWlPAly/u.K' >"$scratch/$name/htpasswd"
    auth="auth: {htpasswd: {realm: test, path: $scratch/$name/htpasswd}}"
  fi
  if [ "$kind" = tls ]; then
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1 \
      -keyout "$scratch/$name/key.pem" -out "$scratch/$name/certificate.pem" 2>/dev/null || fail "openssl"
    tls=", tls: {certificate: \"$scratch/$name/certificate.pem\", key: \"$scratch/$name/key.pem\"}"
  fi
  cat >"$scratch/$name/config.yml" <<YML
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $scratch/$name/data}, delete: {enabled: true}}
http: {addr: "127.0.0.1:0", secret: test$tls}
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

start_registry_proxy() {
  echo '{}' >settings
  : >asked
  python3 "$top/tests/system/registry_proxy.py" "$registry" settings asked >port 2>proxy.log &
  registry_processes+=($!)
  for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
  near=127.0.0.1:$(cat port)
}

stop_registries() {
  local status=$? process  # which the trap after it looks at
  for process in "${registry_processes[@]}"; do
    kill "$process" 2>/dev/null && wait "$process" 2>/dev/null
  done
  registry_processes=()
  return $status
}
