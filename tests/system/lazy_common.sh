# Sourced by tests of `pull --lazy` and of the tables it reads: an image with a little of everything, and who serves one.
#
#   make_lazy_image [NAME]   NAME:1 (pull-lazy:1), which `python hello.py` makes say "sum 10"; the project
#                            in the working folder, the image in $SLIPWAY_HOME, of $layer_count layers
# Of the one image that comes lazily into $lazy_home (else $SLIPWAY_HOME):
#   lazy_folder, there (how many bytes have come), server_of (the process that serves it, or nothing),
#   wait_until_ended (until it is gone), end_server
# And for comparing: list_tree FOLDER; fresh NAME SETTINGS, which start_registry_proxy obeys
make_lazy_image() {
  project <<TOML
[image]
name = "${1:-pull-lazy}"
tag = "1"
[python]
packages = ["numpy", "jupyter-core"]
[project]
copy = ["hello.py"]
TOML
  echo 'import numpy; print("sum", int(numpy.arange(5).sum()))' >hello.py
  expect_ok slipway lock
  expect_ok slipway build
  layer_count=$(slipway inspect "${1:-pull-lazy}:1" --json | jq '.layers | length')
}
lazy_folder() { echo "${lazy_home:-$SLIPWAY_HOME}"/lazy/*; }
there() { cut -d' ' -f1 "$(lazy_folder)/progress"; }
server_of() { # it holds the lock of the image
  local lock
  lock=$(stat -c %i "$(lazy_folder)/lock" 2>/dev/null) || return 1
  awk -v inode=":$lock\$" '$2 == "FLOCK" && $6 ~ inode { print $5 }' /proc/locks | head -1
}
wait_until_ended() {
  for _ in $(seq 1800); do
    [ -n "$(server_of)" ] || return 0
    sleep 0.1
  done
  fail "the server does not end: $(cat "$(lazy_folder)/log")"
}
end_server() {
  local server
  server=$(server_of)
  [ -z "$server" ] || kill "$server"
  wait_until_ended
}
list_tree() { # everything that a program can see
  (cd "$1" && find . -mindepth 1 -printf '%P %y %m %U:%G %T@ %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}
fresh() { # NAME SETTINGS: a machine that has nothing, and the network that it sees
  export SLIPWAY_HOME=$scratch/$1 SLIPWAY_CACHE=$scratch/$1-cache
  echo "$2" >settings
  : >asked
}
