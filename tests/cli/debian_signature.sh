#!/bin/bash
# time-out: 300
# A Debian archive whose signature is not by Debian's key, or does not fit, is not believed.
. "$(dirname "$0")/index_common.sh"
need gpg
need gpgv
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || skip "no Debian keyring"
export GNUPGHOME=$scratch/gnupg SLIPWAY_CACHE=$scratch/cache
mkdir -m 700 "$GNUPGHOME"
trap 'gpgconf --kill all; at_end' EXIT
gpg -q --batch --pinentry-mode loopback --passphrase '' --quick-gen-key 'Nobody <nobody@example.org>' \
  default default never 2>"$scratch/err" || fail "no throw-away key"
archive=$web/static/debian/dists/bookworm
mkdir -p "$archive/main/binary-amd64"
printf 'Package: evil\nVersion: 1\nArchitecture: amd64\nFilename: pool/evil.deb\nSize: 1\nSHA256: %064d\n' 0 \
  >"$archive/main/binary-amd64/Packages"
xz -k "$archive/main/binary-amd64/Packages"
row() { printf ' %s %s %s\n' "$(sha256sum <"$archive/$1" | cut -c-64)" "$(stat -c %s "$archive/$1")" "$1"; }
cat >"$scratch/Release" <<RELEASE
Origin: Debian
Suite: oldstable
Codename: bookworm
Date: $(LC_ALL=C date -Ru)
Architectures: amd64
Components: main
SHA256:
$(row main/binary-amd64/Packages)
$(row main/binary-amd64/Packages.xz)
RELEASE
configure '[index.debian]' "url = \"$index/debian\"" '[index.debian-security]' "url = \"$index/debian\""
ask
# refused TEXT...
refused() {
  rm -rf "$SLIPWAY_CACHE"
  expect_error 1 "bookworm" slipway lock
  for text in "$@"; do assert_contains "what is said" "$text" "$err"; done
  assert_no_file slipway.lock
}
gpg -q --batch --clearsign -o "$archive/InRelease" "$scratch/Release" 2>"$scratch/err"
refused "no signature by a key that is trusted" '`debian`'
cp "$scratch/Release" "$archive/InRelease"
refused "signature"
# Debian's own, changed on the way.
real=$(ls /var/lib/apt/lists/*_bookworm_InRelease 2>/dev/null | head -n 1)
if [ -n "$real" ]; then
  sed 's/^Origin: Debian$/Origin: Debain/' "$real" >"$archive/InRelease"
  refused "a signature does not fit the text"
fi
rm "$archive/InRelease"
refused "404"
faults "500 InRelease"
rm -rf "$SLIPWAY_CACHE"
expect_error 4 "InRelease" slipway lock
faults "html InRelease"
refused
