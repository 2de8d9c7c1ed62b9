#!/bin/bash
# Every C++ file that git knows (or would add), against .clang-format: tools/check_format.sh [--fix]
set -eu
cd "$(dirname "$0")/.."
if [ "${1:-}" = --fix ]; then how=(-i); else how=(--dry-run -Werror); fi
git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cc' |
  xargs -0 -r sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh |
  xargs -0 -r -P 4 -n 40 clang-format-14 "${how[@]}"
