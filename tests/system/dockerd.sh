# Sourced: a dockerd of our own, with its data under $scratch, and `docker` that talks to it.
#
#   start_dockerd; docker ...; stop_dockerd
docker() { command docker -H "unix://$scratch/docker.sock" "$@"; }

start_dockerd() {
  mkdir -p "$scratch/docker"
  local driver=overlay2
  dockerd -H "unix://$scratch/docker.sock" --data-root "$scratch/docker" \
    --exec-root "$scratch/docker-run" --pidfile "$scratch/docker.pid" --storage-driver "$driver" \
    --bridge none --iptables=false --ip6tables=false >"$scratch/dockerd.log" 2>&1 &
  dockerd_process=$!
  trap 'stop_dockerd; at_end' EXIT
  for _ in $(seq 300); do
    docker version >/dev/null 2>&1 && return
    kill -0 "$dockerd_process" 2>/dev/null || break
    sleep 0.1
  done
  fail "dockerd does not start: $(tail -5 "$scratch/dockerd.log")"
}

stop_dockerd() {
  [ -n "${dockerd_process:-}" ] || return 0
  kill "$dockerd_process" 2>/dev/null
  wait "$dockerd_process" 2>/dev/null
  umount "$scratch"/docker-run/netns/* 2>/dev/null
  dockerd_process=
}
