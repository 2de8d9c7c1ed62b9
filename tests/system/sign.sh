#!/bin/bash
# time-out: 1800
# `slipway sign` and `verify` beside cosign itself and a signature made by openssl alone, at real
# registries: each takes what the other made, and nothing else.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
. "$top/tests/system/sign_common.sh"
need_root
need busybox
need jq
need curl
need openssl
mapfile -t programs < <(find_registries)
[ ${#programs[@]} -gt 0 ] || skip "no registry is installed (package docker-registry)"
cosign3=$(find_cosign v3.1.3)
# Another ten minutes, so the older one only where somebody has built it:
#   bash -c '. tests/system/sign_common.sh; TEST_CACHE=~/.cache/slipway-test find_cosign v2.6.5'
cosign2=$(find_cosign v2.6.5 built)
export HOME=$scratch/home
mkdir -p "$HOME"
no_log="--insecure-ignore-tlog --allow-http-registry"
offline="--tlog-upload=false --allow-http-registry --yes"

digest=$(python3 "$top/tests/cli/make_image.py" image) || fail "no image"
expect_ok slipway load -i image --tag small:1
export SLIPWAY_KEY_PASSWORD="a secret"
expect_ok slipway sign --generate-key ours
expect_ok slipway sign --generate-key theirs
openssl genpkey -algorithm ed25519 -out ed.pem
openssl pkey -in ed.pem -pubout -out ed.pub
openssl genpkey -algorithm ed25519 | openssl pkey -pubout -out other-ed.pub
chmod 600 ed.pem
expect_error 1 "\`small:1\` is not signed" slipway verify small:1 --key ours.pub
expect_ok slipway sign small:1 --key ours.key
expect_ok slipway verify small:1 --key ours.pub

number=0
for program in "${programs[@]}"; do
  number=$((number + 1))
  start_registry "registry$number" "$program"
  other=$(python3 "$top/tests/cli/make_image.py" other$number gzip x=$number) || fail "no image"
  expect_ok slipway load -i other$number --tag other:1

  # Signed here, pushed, pulled elsewhere.
  expect_ok slipway push small:1 "$registry/team/small:1"
  assert_contains "push" " signature" "$err"
  expect_ok slipway push small:1 "$registry/team/small:1"
  assert_contains "push again" "is there already" "$err"
  # Compressed anew it is another image, of which nothing is signed.
  expect_ok slipway push --compression zstd small:1 "$registry/packed:1"
  assert_contains "push compressed anew" "stay here" "$err"
  SLIPWAY_HOME=$scratch/second$number
  expect_ok slipway verify "$registry/team/small:1" --key ours.pub
  expect_error 1 "is signed by other keys" slipway verify "$registry/team/small:1" --key theirs.pub
  expect_ok slipway pull "$registry/team/small:1"
  expect_ok slipway gc
  expect_ok slipway verify "$registry/team/small:1" --key ours.pub --json
  assert_equal "where it was found" store "$(jq -r '.signatures[0].place' <<<"$out")"
  SLIPWAY_HOME=$scratch/store

  # Signed there.
  expect_ok slipway push other:1 "$registry/team/other:1"
  expect_error 1 "is not signed" slipway verify "$registry/team/other:1" --key ours.pub
  expect_ok slipway sign "$registry/team/other:1" --key ours.key --format both
  expect_ok slipway sign "$registry/team/other@$other" --key theirs.key --format both
  for key in ours theirs; do
    expect_ok slipway verify "$registry/team/other@$other" --key $key.pub --json
    assert_equal "of both formats" "bundle simple" "$(jq -r '[.signatures[] | select(.verdict == "signed") | .format] | sort | join(" ")' <<<"$out")"
  done
  expect_error 1 "has no manifest" slipway verify "$registry/team/other:nothing" --key ours.pub

  if [ -n "$cosign3" ]; then
    export COSIGN_PASSWORD=$SLIPWAY_KEY_PASSWORD
    for name in small:1 other:1; do
      $cosign3 verify --key ours.pub $no_log "$registry/team/$name" >"$scratch/out" 2>"$scratch/err" || fail "cosign does not take $name"
    done
    ! $cosign3 verify --key theirs.pub $no_log "$registry/team/small:1" >"$scratch/out" 2>&1 || fail "cosign takes any key"
    # Cosign's key, cosign's signature; then our key in cosign's hands.
    rm -f cosign.key cosign.pub
    $cosign3 generate-key-pair >"$scratch/out" 2>"$scratch/err" || fail "cosign"
    for key in cosign ours; do
      for bundle in true false; do
        slipway push small:1 "$registry/by/$key-$bundle:1" 2>"$scratch/err" || fail "push"
        $cosign3 sign --key $key.key $offline --use-signing-config=false --new-bundle-format=$bundle "$registry/by/$key-$bundle@$digest" \
          >"$scratch/out" 2>"$scratch/err" || fail "cosign sign"
        expect_ok slipway verify "$registry/by/$key-$bundle:1" --key $key.pub
      done
    done
    expect_error 1 "is signed by other keys" slipway verify "$registry/by/cosign-true:1" --key theirs.pub
    # The same with a key of the other kind, which comes from openssl. (cosign verifies none that it
    # signed with such a key itself; see docs/formats/signature.md.)
    rm -f import-cosign.key import-cosign.pub
    $cosign3 import-key-pair --key ed.pem >"$scratch/out" 2>"$scratch/err" || fail "cosign takes no Ed25519 key"
    expect_ok slipway push other:1 "$registry/by/ed:1"
    expect_ok slipway sign "$registry/by/ed:1" --key ed.pem --format both
    for bundle in true false; do
      $cosign3 verify --key ed.pub $no_log --new-bundle-format=$bundle "$registry/by/ed:1" >"$scratch/out" 2>"$scratch/err" || fail "cosign does not take Ed25519"
      ! $cosign3 verify --key other-ed.pub $no_log --new-bundle-format=$bundle "$registry/by/ed:1" >"$scratch/out" 2>&1 || fail "cosign takes any key"
      slipway push small:1 "$registry/by/ed-$bundle:1" 2>"$scratch/err" || fail "push"
      $cosign3 sign --key import-cosign.key $offline --use-signing-config=false --new-bundle-format=$bundle "$registry/by/ed-$bundle@$digest" \
        >"$scratch/out" 2>"$scratch/err" || fail "cosign sign"
      expect_ok slipway verify "$registry/by/ed-$bundle:1" --key ed.pub
      expect_error 1 "is signed by other keys" slipway verify "$registry/by/ed-$bundle:1" --key other-ed.pub
    done
    expect_ok slipway sign "$registry/by/cosign-true:1" --key cosign.key
    $cosign3 verify --key cosign.pub $no_log "$registry/by/cosign-true:1" >"$scratch/out" 2>"$scratch/err" || fail "cosign's key in our hands"
  fi
  if [ -n "$cosign2" ]; then
    slipway push other:1 "$registry/two:1" 2>"$scratch/err" || fail "push"
    SLIPWAY_HOME=$scratch/empty
    expect_ok slipway sign "$registry/two:1" --key ours.key --format simple
    SLIPWAY_HOME=$scratch/store
  fi

  # What a registry may serve in place of a signature.
  repository=bad
  slipway push small:1 "$registry/bad:1" 2>"$scratch/err" || fail "push"
  verify_says() { expect_error 1 "$1" slipway verify "$registry/bad@$digest" --key "${2:-ours.pub}"; }
  SLIPWAY_HOME=$scratch/third$number
  sign_by_hand() {  # DIGEST [PREDICATE]: with ours, by openssl alone
    printf '{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"%s"}}],"predicateType":"%s","predicate":{}}' \
      "${1#sha256:}" "${2:-https://sigstore.dev/cosign/sign/v1}" >payload
    printf 'DSSEv1 28 application/vnd.in-toto+json %s ' "$(stat -c %s payload)" | cat - payload >message
    openssl dgst -sha256 -sign plain.pem -out signature message || fail "openssl"
    jq -nc --arg p "$(base64 -w0 payload)" --arg s "$(base64 -w0 signature)" --arg h "$(openssl pkey -in plain.pem -pubout -outform DER | openssl sha256 -binary | base64 -w0)" \
      '{mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json", verificationMaterial: {publicKey: {hint: $h}},
        dsseEnvelope: {payload: $p, payloadType: "application/vnd.in-toto+json", signatures: [{sig: $s}]}}' >bundle.json
  }
  openssl ecparam -name prime256v1 -genkey -out plain.pem 2>/dev/null
  openssl pkey -in plain.pem -pubout -out plain.pub
  sign_by_hand "$digest"
  put_signature "$digest" bundle.json
  expect_ok slipway verify "$registry/bad@$digest" --key plain.pub
  sign_by_hand "$other"
  put_signature "$digest" bundle.json
  verify_says "is for another image" plain.pub
  sign_by_hand "$digest" https://example.com/scan/failed
  put_signature "$digest" bundle.json
  verify_says "is not signed by" plain.pub
  sign_by_hand "$digest"
  jq -c '.dsseEnvelope.payload |= (@base64d | sub("sign/v1"; "sign/v2") | @base64)' bundle.json >changed.json
  put_signature "$digest" changed.json
  verify_says "was changed after" plain.pub
  jq -c '.dsseEnvelope.signatures[0].sig = "no base64!"' bundle.json >changed.json
  put_signature "$digest" changed.json
  verify_says "is not signed by" plain.pub
  jq -c '.x = ("y" * 9000000)' bundle.json >changed.json
  put_signature "$digest" changed.json
  verify_says "which is more than any real one" plain.pub
  echo '{' >changed.json
  put_signature "$digest" changed.json
  verify_says "is not signed by" plain.pub
  # A list that is no list; then a good signature beside a bad one is enough.
  put_manifest referrer.json "sha256-${digest#sha256:}" application/vnd.oci.image.manifest.v1+json >/dev/null
  verify_says "" plain.pub
  put_signature "$digest" changed.json
  expect_ok slipway sign "$registry/bad:1" --key ours.key
  expect_ok slipway verify "$registry/bad:1" --key ours.pub
  # A pull with a bad signature is a pull, and says so.
  expect_ok slipway pull "$registry/bad:1"
  expect_ok slipway verify bad:1 --key ours.pub
  # What the store has is what is checked: the tag has moved on.
  SLIPWAY_HOME=$scratch/store slipway push other:1 "$registry/bad:1" 2>"$scratch/err" || fail "push"
  expect_ok slipway verify "$registry/bad:1" --key ours.pub
  assert_contains "of the store" "$digest" "$err"
  expect_error 2 "is not the same here and at the registry" slipway sign "$registry/bad:1" --key ours.key
  SLIPWAY_HOME=$scratch/store
done

if [ -n "$cosign2" ]; then
  echo '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}' >root.json
  $cosign2 verify --key ours.pub $no_log --trusted-root root.json "$registry/two:1" >"$scratch/out" 2>"$scratch/err" || fail "cosign 2 does not take a simple signature"
  ! $cosign2 verify --key plain.pub $no_log --trusted-root root.json "$registry/two:1" >"$scratch/out" 2>&1 || fail "cosign 2 takes any key"
  $cosign2 verify --key ours.pub $no_log --trusted-root root.json "$registry/team/other:1" >"$scratch/out" 2>"$scratch/err" || fail "cosign 2 does not take a bundle"
fi
