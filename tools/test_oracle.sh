#!/bin/bash
# Compares Slipway with other people's tools: tools/test_oracle.sh BUILD_FOLDER [SETS_REGEX]
#
# uv and packaging come from the Python index into a virtual environment in the cache, once; pages and
# metadata are cached beside it, by Slipway and by uv. See tests/oracle/README.md.
set -eu
build=$1
sets=${2:-}
cd "$(dirname "$0")/.."
cache=${TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-test}/oracle
versions=(uv==0.13.9 packaging==26.3)
venv=$cache/venv-$(printf '%s\n' "${versions[@]}" | sha256sum | cut -c1-12)
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  mkdir -p "$cache"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${versions[@]}"
  touch "$venv/complete"
fi
status=0
if [ -z "$sets" ]; then
  "$venv/bin/python" tests/oracle/check_versions.py "$build/tests/oracle/oracle_version_answers" ||
    status=1
fi
SLIPWAY_CACHE=$cache/slipway "$venv/bin/python" tests/oracle/check_solves.py \
  "$build/tests/oracle/oracle_solve_sets" "$venv/bin/uv" "$cache" "$sets" || status=1
exit $status
