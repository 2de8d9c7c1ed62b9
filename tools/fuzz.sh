#!/bin/bash
# Runs fuzzers: tools/fuzz.sh BUILD_FOLDER SECONDS [PARSER...], all by default.
#
# Seeds come from tests/fuzz/corpus/PARSER; what is found interesting stays in BUILD_FOLDER. A crash
# leaves its input there and fails.
set -eu
build=$1 seconds=$2
shift 2
cd "$(dirname "$0")/.."
parsers=${*:-$(ls "$build"/tests/fuzz/fuzz_* | sed 's#.*/fuzz_##' | grep -v '\.')}
for parser in $parsers; do
  program=$build/tests/fuzz/fuzz_$parser
  if [ ! -x "$program" ]; then
    echo "fuzz: there is no parser \`$parser\` in tests/fuzz" >&2
    exit 2
  fi
  found=$build/corpus/$parser
  mkdir -p "$found" "$build/crashes"
  seeds=tests/fuzz/corpus/$parser
  [ -d "$seeds" ] || seeds=
  if ! "$program" -max_total_time="$seconds" -artifact_prefix="$build/crashes/$parser-" \
    -print_final_stats=1 "$found" $seeds >"$build/$parser.log" 2>&1; then
    tail -n 60 "$build/$parser.log"
    echo "FAIL  $parser: the input is in $build/crashes"
    exit 1
  fi
  echo "ok    $parser: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$parser.log") inputs"
done
