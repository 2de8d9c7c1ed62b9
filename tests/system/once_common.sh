# Sourced: what tests that run beside each other make once for all, in $TEST_CACHE.
#
#   once NAME COMMAND...   runs it where no other test runs one of that NAME; as in a subshell
once() {
  local lock=$TEST_CACHE/$1.lock
  shift
  (flock 9 && "$@" 9>&-) 9>"$lock"
}
