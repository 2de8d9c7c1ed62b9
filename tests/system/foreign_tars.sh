#!/bin/bash
# Layers in every form of tar, by GNU tar and by Python, with names of the lengths at which the forms
# differ: `load` makes of them what `tar -x` does.
. "$(dirname "$0")/../cli/common.sh"
need_root
program=$top/tests/system/foreign_tars.py

# What a tree shows. Not the times of folders: tar -x sets them before it fills some of them.
show() { # FOLDER
  (cd "$1" && find . -mindepth 1 \( -type d -printf '%P %y %m %U\n' -o -printf '%P %y %m %U %s %Ts %l %n\n' \) &&
    find . -type f -exec sha256sum {} +) | LC_ALL=C sort
}

compare() { # WHAT: layer.tar
  rm -rf by-tar && mkdir by-tar
  tar -xpf layer.tar -C by-tar 2>/dev/null || fail "$1: tar itself does not take it"
  rm -rf layout && python3 "$top/tests/cli/make_layout.py" layout '{}' layer.tar >/dev/null || fail "no image"
  expect_ok slipway load -i layout/ --tag foreign:1
  expect_ok slipway inspect foreign:1 --json
  tree=$SLIPWAY_HOME/layers/$(jq -r '.layers[0].diff_id' <<<"$out" | cut -d: -f2)
  show by-tar >expected && show "$tree" >seen
  diff expected seen >difference || fail "$1: load and tar differ: $(head -5 difference)"
  [ "$(wc -l <seen)" -gt 300 ] || fail "$1: only $(wc -l <seen) names"
}

for seed in 1 2; do
  rm -rf tree && mkdir tree && python3 "$program" tree $seed tree || fail "no tree"
  for form in v7 oldgnu gnu posix; do
    tar --format=$form -C tree -cf layer.tar . 2>/dev/null # v7 leaves out what it has no room for
    compare "GNU tar's $form, seed $seed"
  done
  for form in USTAR GNU PAX; do
    python3 "$program" tar $form tree layer.tar || fail "no tar"
    compare "Python's $form, seed $seed"
  done
done
echo "ok"
