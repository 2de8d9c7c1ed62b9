#!/bin/bash
# `slipway export`: the tar is what a container of the image sees, owners, links and attributes
# included, and the same bytes each time.
. "$(dirname "$0")/common.sh"
need_root
need busybox
! ldd "$(command -v busybox)" >/dev/null 2>&1 || skip "needs a static busybox (busybox-static)"
python3 "$top/tests/cli/make_image.py" image >/dev/null || fail "no image"
expect_ok slipway load -i image --tag small:1

expect_ok slipway export small:1 -o root.tar
assert_contains "what it says" "exported \`small:1\` to \`root.tar\`" "$err"
mkdir root && tar -xpf root.tar --xattrs -C root || fail "GNU tar does not take it"
list='find . -xdev ! -path "./dev*" ! -path "./proc*" ! -path "./sys*" ! -path "./etc/hosts" ! -path "./etc/hostname" ! -path "./etc/resolv.conf" ! -path "./run*" -print'
looks='while read -r p; do stat -c "%n %f %u:%g %h" "$p"; [ -d "$p" ] || stat -c "%Y" "$p"; [ ! -L "$p" ] || readlink "$p"; [ -L "$p" ] || [ ! -f "$p" ] || md5sum "$p"; done'
expect_ok slipway run --rm --user 0 small:1 sh -c "cd / && $list | grep -v '^\.\$' | sort | $looks"
# Links of the store count inside a container, and folders of the engine's own have other times.
strip() { sed -E 's/ [0-9]+$//' | grep -vE '^\./(etc|dev|proc|sys|tmp) '; }
strip <<<"$out" >inside
(cd root && sh -c "$list | grep -v '^\.\$' | sort | $looks") | strip >exported
diff inside exported >difference || fail "the export is not what a container sees: $(head -10 difference)"
[ "$(stat -c %i root/data/twin)" = "$(stat -c %i root/data/twin2)" ] || fail "hard links are two files"

expect_ok sh -c "'$SLIPWAY' export small:1 | sha256sum"
assert_equal "to a pipe, again" "$(sha256sum <root.tar)" "$out"
for packing in gzip zstd; do
  expect_ok slipway export --compression $packing small:1 -o "packed.$packing"
  assert_equal "$packing" "$(sha256sum <root.tar)" "$($packing -dc <"packed.$packing" | sha256sum)"
done

expect_error 2 "is a folder" slipway export small:1 -o root
expect_error 1 "there is no image \`smal:1\`" slipway export smal:1 -o x.tar
expect_error 2 "is not known" slipway export --compression xz small:1 -o x.tar
expect_error 1 "No space left on device" sh -c "'$SLIPWAY' export small:1 >/dev/full"
expect_ok slipway export small:1 -o absent/y.tar
assert_equal "into a folder that was not there" "$(sha256sum <root.tar)" "$(sha256sum <absent/y.tar)"
assert_equal "what is left over" "" "$(ls -A | grep -E '^\.slipway|x\.tar')"
