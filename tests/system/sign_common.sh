# Sourced: cosign itself, and what a hostile registry would serve.
#
#   find_cosign VERSION [built]   prints the program of $TEST_CACHE, built by `go` where it is not there
#                         yet (it takes minutes, once); nothing where go or the network is missing.
#                         With `built` it only looks.
#   put_signature SUBJECT BUNDLE_FILE   a bundle as a referrer, by hand, at $registry/$repository
find_cosign() {
  local version=$1 program=$TEST_CACHE/cosign/bin/cosign-$1
  if [ ! -x "$program" ] && [ "${2:-}" != built ] && command -v go >/dev/null; then
    mkdir -p "$TEST_CACHE/cosign/bin"
    GOBIN=$TEST_CACHE/cosign/new GOPATH=$TEST_CACHE/cosign/go GOFLAGS=-modcacherw GOTOOLCHAIN=local \
      timeout 1000 go install "github.com/sigstore/cosign/${version%%.*}/cmd/cosign@$version" \
      >"$TEST_CACHE/cosign/log" 2>&1 && mv "$TEST_CACHE/cosign/new/cosign" "$program"
    rm -rf "$TEST_CACHE/cosign/go" "$TEST_CACHE/cosign/new"
    [ -x "$program" ] || echo "note: no cosign $version: $(tail -1 "$TEST_CACHE/cosign/log")" >&2
  fi
  [ ! -x "$program" ] || echo "$program"
}

digest_of() { echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"; }

put_blob() {
  local place
  place=$(curl -fsS -X POST -D - -o /dev/null "http://$registry/v2/$repository/blobs/uploads/" |
    sed -n 's/^[Ll]ocation: *\(.*\)\r$/\1/p')
  case $place in http*) ;; *) place=http://$registry$place ;; esac
  case $place in *\?*) place="$place&" ;; *) place="$place?" ;; esac
  curl -fsS -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$1" "${place}digest=$(digest_of "$1")" || fail "no blob"
}

put_manifest() {
  curl -sS -o "$scratch/answer" -w '%{http_code}\n' -X PUT -H "Content-Type: $3" --data-binary "@$1" "http://$registry/v2/$repository/manifests/$2"
}

put_signature() {
  local subject=$1 bundle=$2 oci=application/vnd.oci.image
  printf '{}' >empty
  put_blob empty
  put_blob "$bundle"
  jq -nc --arg c "$(digest_of empty)" --arg d "$(digest_of "$bundle")" --argjson s "$(stat -c %s "$bundle")" --arg i "$subject" \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: {mediaType: "application/vnd.oci.empty.v1+json", digest: $c, size: 2},
      layers: [{mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json", digest: $d, size: $s}],
      subject: {mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $i, size: 582}}' >referrer.json
  [ "$(put_manifest referrer.json "$(digest_of referrer.json)" $oci.manifest.v1+json)" = 201 ] || fail "no manifest"
  jq -nc --arg d "$(digest_of referrer.json)" --argjson s "$(stat -c %s referrer.json)" \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s}]}' >list.json
  [ "$(put_manifest list.json "sha256-${subject#sha256:}" $oci.index.v1+json)" = 201 ] || fail "no list"
}
