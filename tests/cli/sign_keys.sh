#!/bin/bash
# Keys of `slipway sign` and `verify`: how they are made, kept and read, and what is refused.
. "$(dirname "$0")/common.sh"
need_root
need busybox
need jq
need openssl
need python3
digest=$(python3 "$top/tests/cli/make_image.py" image) || fail "no image"
expect_ok slipway load -i image --tag small:1
unset COSIGN_PASSWORD SLIPWAY_KEY_PASSWORD
alone() { setsid -w "$@"; }  # without a terminal

# A pair is made, and never written over.
export SLIPWAY_KEY_PASSWORD=first
expect_ok slipway sign --generate-key pair
assert_equal "the private key's mode" 600 "$(stat -c %a pair.key)"
before=$(cat pair.key pair.pub)
expect_error 2 "is there already" slipway sign --generate-key pair
rm pair.key
expect_error 2 "\`./pair.pub\` is there already" slipway sign --generate-key pair
assert_no_file pair.key
ln -s nowhere linked.key
out slipway sign --generate-key linked
[ "$status" -ne 0 ] || fail "a key went through a link"
assert_no_file nowhere
assert_no_file linked.pub
mkdir full.pub
expect_error 2 "is there already" slipway sign --generate-key full
expect_error 1 "nothing-here" slipway sign --generate-key nothing-here/pair
expect_error 2 "signs nothing" slipway sign small:1 --generate-key other
expect_ok slipway sign --generate-key pair2
expect_ok slipway sign small:1 --key pair2.key --json
assert_equal "sign --json" "$digest store" "$(jq -r '.digest + (if .in_store then " store" else "" end)' <<<"$out")"
key=$(jq -r .key <<<"$out")
expect_ok slipway verify small:1 --key pair2.pub --json
assert_equal "verify --json" "true signed $key $digest" "$(jq -r '[.signed, .verdict, .key, .digest] | map(tostring) | join(" ")' <<<"$out")"
assert_equal "the key, as openssl counts it" "$key" \
  "sha256:$(openssl pkey -pubin -in pair2.pub -outform DER | sha256sum | cut -d' ' -f1)"

# The passphrase: wrong, missing, empty, of cosign's variable, typed.
SLIPWAY_KEY_PASSWORD=wrong expect_error 1 "does not open it" slipway sign small:1 --key pair2.key
unset SLIPWAY_KEY_PASSWORD
expect_error 1 "does not open it" alone "$SLIPWAY" sign small:1 --key pair2.key
COSIGN_PASSWORD=first expect_ok alone "$SLIPWAY" sign small:1 --key pair2.key
expect_ok alone "$SLIPWAY" sign --generate-key empty
assert_contains "it says so" "has no passphrase" "$err"
expect_ok alone "$SLIPWAY" sign small:1 --key empty.key
cat >type.py <<'PY'
import os, pty, sys, time
lines, command = sys.argv[1].split(","), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
said = b""
try:
    while True:
        part = os.read(terminal, 4096)
        if not part:
            break
        said += part
        # Only behind a question: what is typed before the echo is off would show.
        if lines and said.rstrip().endswith(b":"):
            import termios
            while termios.tcgetattr(terminal)[3] & termios.ECHO:
                time.sleep(0.01)
            os.write(terminal, lines.pop(0).encode() + b"\n")
            said += b"\n"
except OSError:
    pass
sys.stdout.write(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
expect_ok python3 type.py first "$SLIPWAY" sign small:1 --key pair2.key
assert_contains "asked" "passphrase of" "$out"
assert_lacks "no echo" first "${out/new pass/}"
expect_ok python3 type.py typed,typed "$SLIPWAY" sign --generate-key typed
assert_lacks "no echo" "typed
typed" "$out"
SLIPWAY_KEY_PASSWORD=typed expect_ok slipway sign small:1 --key typed.key
out python3 type.py one,two "$SLIPWAY" sign --generate-key differing
assert_equal "two passphrases" 2 "$status"
assert_no_file differing.key
assert_no_file differing.pub

# Keys of openssl.
openssl ecparam -name prime256v1 -genkey -out sec1.pem 2>/dev/null
openssl pkcs8 -topk8 -nocrypt -in sec1.pem -out plain.pem
openssl pkcs8 -topk8 -passout pass:x -in sec1.pem -out locked.pem
openssl pkey -in sec1.pem -pubout -out openssl.pub
openssl genpkey -algorithm ed25519 -out ed.pem
openssl pkcs8 -topk8 -passout pass:x -in ed.pem -out ed-locked.pem
openssl pkey -in ed.pem -pubout -out ed.pub
chmod 600 ./*.pem
for one in sec1 plain locked; do
  export SLIPWAY_KEY_PASSWORD=x
  expect_ok slipway sign small:1 --key $one.pem
  expect_ok slipway verify small:1 --key openssl.pub
done
expect_error 1 "is signed by other keys" slipway verify small:1 --key ed.pub
for one in ed ed-locked; do
  expect_ok slipway sign small:1 --key $one.pem --format both
  expect_ok slipway verify small:1 --key ed.pub
done
chmod 644 plain.pem
expect_ok slipway sign small:1 --key plain.pem
assert_contains "what others can read" "others can read" "$err"

# What is no key for this.
openssl genrsa -out rsa.pem 2048 2>/dev/null
openssl pkey -in rsa.pem -pubout -out rsa.pub
openssl genpkey -algorithm ed448 -out ed448.pem
openssl ecparam -name secp384r1 -genkey -noout -out p384.pem 2>/dev/null
openssl ec -in sec1.pem -aes128 -passout pass:x -out old.pem 2>/dev/null
openssl req -x509 -key sec1.pem -subj /CN=x -days 1 -out certificate.pem 2>/dev/null
head -c 100000 /dev/urandom >noise.pem
: >nothing.pem
refuse() { expect_error "$1" "$2" slipway "$3" small:1 --key "$4"; }
refuse 1 "of RSA" sign rsa.pem
refuse 1 "of RSA" verify rsa.pub
refuse 1 "of a kind unknown here" sign ed448.pem
refuse 1 "secp384r1" sign p384.pem
refuse 1 "before PKCS #8" sign old.pem
refuse 1 "CERTIFICATE" verify certificate.pem
refuse 1 "too large" sign noise.pem
refuse 1 "no key in PEM" sign nothing.pem
refuse 1 "no key in PEM" verify nothing.pem
refuse 2 "public key, and only a private one signs" sign pair2.pub
refuse 2 "verifying takes the public one" verify pair2.key
refuse 2 "verifying takes the public one" verify plain.pem
refuse 1 "not-there" sign not-there.key
refuse 1 "" sign .
expect_error 2 "needs \`--key FILE\`" slipway sign small:1
expect_error 1 "\`--key FILE\`" slipway verify small:1
expect_error 1 "no image \`nothing:1\`" slipway sign nothing:1 --key plain.pem
expect_error 2 "no format" slipway sign small:1 --key plain.pem --format new
if command -v setpriv >/dev/null; then
  chmod 755 "$scratch" "$scratch/project"
  out env SLIPWAY_HOME="$scratch/project/nobody" setpriv --reuid 65534 --regid 65534 --clear-groups "$SLIPWAY" sign small:1 --key pair2.key
  [ "$status" -ne 0 ] || fail "a key that cannot be read signs"
fi

# A signature of the store that somebody spoilt is no signature, and harms no other.
expect_ok slipway verify small:1 --key pair2.pub
for path in "$SLIPWAY_HOME"/referrers/*/*; do
  hex=$(basename "$path")
  rm -f "$SLIPWAY_HOME/blobs/sha256/${hex:0:2}/${hex:2}"
  break
done
SLIPWAY_KEY_PASSWORD=first expect_ok slipway sign small:1 --key pair2.key
expect_ok slipway verify small:1 --key pair2.pub
expect_ok slipway gc
expect_ok slipway verify small:1 --key pair2.pub
