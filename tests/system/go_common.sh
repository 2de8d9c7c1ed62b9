# Sourced: programs that read layers by the libraries of others.
#
#   go_verifier FOLDER MODULE@VERSION   builds FOLDER/main.go of this one with the module, once, into
#                                       $TEST_CACHE, and sets $verifier to it; skips where go cannot
#                                       get the module
. "$(dirname "${BASH_SOURCE[0]}")/once_common.sh"
go_verifier() {
  verifier=$TEST_CACHE/$1-${2##*@}-$(sha256sum <"$top/tests/system/$1/main.go" | cut -c1-12)/verifier
  once "$1" build_verifier "$1" "$2" || exit
}
build_verifier() {
  local source=$top/tests/system/$1/main.go module=$2 work=$scratch/go-$1
  [ ! -x "$verifier" ] || return 0
  mkdir -p "$work"
  cp "$source" "$work"
  (cd "$work" && go mod init verifier && go get "$module" && go mod tidy) >"$work/log" 2>&1 ||
    skip "go cannot get $module here: $(tail -n 1 "$work/log")"
  # Without these two storage drivers, whose C headers nobody needs here.
  (cd "$work" && CGO_ENABLED=0 go build -tags "exclude_graphdriver_btrfs exclude_graphdriver_zfs" -o verifier .) \
    >"$work/log" 2>&1 || fail "$1 cannot be built: $(head -n 5 "$work/log")"
  mkdir -p "$(dirname "$verifier")"
  cp "$work/verifier" "$verifier"
}
