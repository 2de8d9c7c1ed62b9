#!/bin/bash
# Many layers, and deep ones: their merged tree takes more open files than a shell allows, and a tar's
# header has room for the beginning of their names alone, which may end in a slash.
. "$(dirname "$0")/common.sh"
need busybox
deep=$(printf 'a/%.0s' $(seq 50)) # 100 bytes, as a header holds
count=40
for i in $(seq $count); do
  mkdir -p "layers/$i/$deep"
  echo "of layer $i" >"layers/$i/${deep}file$i"
done
mkdir layers/1/bin
cp "$(command -v busybox)" layers/1/bin/busybox
python3 "$top/tests/cli/make_layout.py" layout '{}' $(seq -f layers/%g $count) >/dev/null || fail "no layout"
[ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge 4096 ] || skip "no more than $(ulimit -Hn) open files"
ulimit -Sn 256

expect_ok slipway load -i layout/ --tag deep:1
expect_ok slipway run --rm deep:1 /bin/busybox sh -c "cat /${deep}file1 /${deep}file$count; ls /$deep | wc -l"
assert_equal "what it sees" "of layer 1 of layer $count $count" "$(echo $out)"
case $err in *"cannot be merged"*) fail "no merged tree: $err" ;; esac
expect_ok slipway export deep:1 -o deep.tar
assert_equal "files in the export" "$count" "$(tar -tf deep.tar | grep -c "^${deep}file")"
expect_ok slipway gc --image deep:1
assert_equal "layers that are left" "" "$(ls "$SLIPWAY_HOME/layers")"
echo "ok"
