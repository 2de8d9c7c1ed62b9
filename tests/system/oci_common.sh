# Sourced by oci_*.sh: OCI's own validation programs (runtime-tools), built once from the module
# proxy that this host's Go is configured with. In $oci_tools then: runtimetest, which checks from
# inside a container what config.json says of it; the validation programs, which drive a runtime;
# and the root file system that they unpack. runtime-tools names no versions of what it needs.
oci_version=v0.9.0 spec_version=v1.0.2 selinux_version=v1.11.0
oci_module=github.com/opencontainers/runtime-tools
oci_cache=${TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-test}
oci_tools=$oci_cache/oci-$oci_version-$spec_version

# build_oci_tools FOLDER
build_oci_tools() {
  mkdir -p "$1/bin" && cd "$1" || return 1
  export GOFLAGS=-mod=mod CGO_ENABLED=0
  go mod init validation &&
    go get "$oci_module@$oci_version" "github.com/opencontainers/runtime-spec@$spec_version" \
      "github.com/opencontainers/selinux@$selinux_version" || return 1
  source=$(go list -m -f '{{.Dir}}' $oci_module) || return 1
  programs=$(cd "$source/validation" && ls | grep -vx util | sed "s|^|$oci_module/validation/|")
  # One after another from here: each is 7 MB, and the disk counts more than a minute once.
  go build -trimpath -ldflags '-s -w' -o bin/ $oci_module/cmd/runtimetest $programs &&
    cp "$source/rootfs-amd64.tar.gz" bin/ && chmod 644 bin/*.gz &&
    rm -rf "$oci_tools" && mkdir -p "$oci_cache" && cp -r bin "$oci_tools.new" && mv "$oci_tools.new" "$oci_tools"
}

make_oci_tools() {
  [ ! -e "$oci_tools/rootfs-amd64.tar.gz" ] || return 0
  command -v go >/dev/null || skip "go is not installed"
  oci_build=$(mktemp -d /var/tmp/slipway-oci.XXXXXX)
  (build_oci_tools "$oci_build") >"$oci_build/log" 2>&1 || {
    oci_reason=$(tail -n 1 "$oci_build/log")
    rm -rf "$oci_build"
    skip "go cannot build runtime-tools $oci_version here: $oci_reason"
  }
  rm -rf "$oci_build"
}
. "$(dirname "${BASH_SOURCE[0]}")/once_common.sh"
TEST_CACHE=$oci_cache once oci-tools make_oci_tools || exit
