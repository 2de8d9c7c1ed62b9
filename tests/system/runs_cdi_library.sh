#!/bin/bash
# time-out: 900
# CDI files beside CDI's own library, built from the Go module proxy that this host's Go knows:
#
#   - of two thousand files, good and bad, both take and refuse the same (cdi_files.py lists what
#     Slipway refuses on purpose);
#   - the configuration that the runtime is given has what the library would put in
#     (cdi_compare_runs.py lists what is deliberately different).
. "$(dirname "$0")/runs_common.sh"

for program in go jq python3; do
  command -v $program >/dev/null || skip "needs $program"
done
library=v1.1.1
cache=${TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-test}
inject=$cache/cdi-inject-$library-$(sha256sum <"$here/cdi_inject/main.go" | cut -c1-12)/inject
build_inject() {
  mkdir "$work/go" && cp "$here/cdi_inject/main.go" "$work/go/" && cd "$work/go" && go mod init inject &&
    go get "tags.cncf.io/container-device-interface@$library" && go mod tidy && go build -o inject . &&
    mkdir -p "$(dirname "$inject")" && cp inject "$inject"
}
[ -x "$inject" ] || (build_inject) >"$work/go.log" 2>&1 ||
  skip "go cannot build CDI $library here: $(tail -n 1 "$work/go.log")"

# Files. One error names all that cannot be used.
python3 "$here/cdi_files.py" "$work/files" 2000 || exit 1
"$inject" check "$work/files" >"$work/theirs.json" || exit 1
sw as_root crun run --rm --cdi-spec-dir "$work/files" --device no.such/kind=x box true 2>"$work/err"
sed -n 's|.*`'"$work/files/"'\([^`]*\)` cannot be used: .*|\1|p' "$work/err" | sort >"$work/ours"
jq -r 'to_entries[] | select(.value != "") | .key' "$work/theirs.json" | sort >"$work/refused"
jq -r 'keys[]' "$work/files.expected.json" | sort >"$work/expected"
taken=$(jq '[.[] | select(. == "")] | length' "$work/theirs.json")
[ "$taken" -gt 200 ] && [ "$(wc -l <"$work/refused")" -gt 200 ] ||
  check "good and bad files" "both, many" "$taken and $(wc -l <"$work/refused")"
check "refused by CDI's library alone" "" "$(comm -13 "$work/ours" "$work/refused" | head -5)"
check "refused by Slipway alone, beyond what is meant" "" \
  "$(comm -23 "$work/ours" "$work/refused" | comm -23 - "$work/expected" | head -5)"
check "differences that are none any more" "" "$(comm -23 "$work/expected" <(comm -23 "$work/ours" "$work/refused"))"

# Containers.
host=$work/host
mkdir -p "$host/folder/deep/er" "$host/folder/er" "$work/static" "$work/dynamic"
mknod -m 640 "$host/node" c 1 5 && mknod -m 600 "$host/block" b 7 200 &&
  mknod -m 600 "$host/other" c 1 7 || skip "no device node can be made here"
mkfifo "$host/pipe" && echo text >"$host/file"
cat >"$work/static/a.yaml" <<YAML
cdiVersion: "0.7.0"
kind: vendor.com/class
containerEdits:
  env: [ALL=1, PATH=/bin:/all, TWICE=spec]
  deviceNodes: [{path: /dev/all, hostPath: $host/node}]
  mounts: [{hostPath: $host/file, containerPath: /all/file, options: [ro, bind]}]
  additionalGids: [70, 0]
devices:
- name: env
  containerEdits: {env: [ONE=, TWICE=device, "QUOTED=\"a b\""]}
- name: open
  containerEdits: {deviceNodes: [{path: /dev/d/x, hostPath: $host/node}]}
- name: block
  containerEdits: {deviceNodes: [{path: /dev/x, hostPath: $host/block, permissions: r}]}
- name: said
  containerEdits: {deviceNodes: [{path: /dev/x, hostPath: $host/node, type: c, major: 1, minor: 3, fileMode: 0604, permissions: m, uid: 5, gid: 6}]}
- name: half
  containerEdits: {deviceNodes: [{path: /dev/x, hostPath: $host/node, type: c, fileMode: 0666, uid: 0}]}
- name: numbers
  containerEdits: {deviceNodes: [{path: /dev/nowhere, type: c, major: 1, minor: 7}]}
- name: none
  containerEdits: {deviceNodes: [{path: /dev/x, hostPath: $host/node, permissions: none}]}
- name: pipe
  containerEdits: {deviceNodes: [{path: /dev/x, hostPath: $host/pipe}, {path: /dev/y, hostPath: $host/pipe, type: p}]}
- name: again
  containerEdits: {deviceNodes: [{path: /dev/all, hostPath: $host/block}, {path: /dev/all, hostPath: $host/other, permissions: r}]}
- name: mounts
  containerEdits:
    mounts:
    - {hostPath: $host/folder, containerPath: /m/deep/er}
    - {hostPath: $host/folder, containerPath: /m, options: [ro, noexec, nosuid, rbind, rprivate], type: bind}
    - {hostPath: $host/file, containerPath: /all/file}
- name: tmpfs
  containerEdits: {mounts: [{hostPath: tmpfs, containerPath: /t, type: tmpfs, options: [noexec, size=1m]}]}
- name: groups
  containerEdits: {env: [A=b], additionalGids: [71, 70, 72, 71]}
- {name: missing, containerEdits: {deviceNodes: [{path: /dev/nowhere}]}}
- {name: half-missing, containerEdits: {deviceNodes: [{path: /dev/nowhere, type: c}]}}
- {name: file, containerEdits: {deviceNodes: [{path: /dev/x, hostPath: $host/file}]}}
- {name: other-type, containerEdits: {deviceNodes: [{path: /dev/x, hostPath: $host/node, type: b}]}}
- {name: shadowed, containerEdits: {env: [WHERE=static]}}
- {name: contested, containerEdits: {env: [WHERE=a]}}
- {name: contested-below, containerEdits: {env: [WHERE=a]}}
YAML
printf 'cdiVersion: 0.6.0\nkind: vendor.com/class\ndevices:\n- {name: contested, containerEdits: {env: [WHERE=b]}}\n- {name: contested-below, containerEdits: {env: [WHERE=b]}}\n' >"$work/static/b.yaml"
printf '{"cdiVersion": "0.6.0", "kind": "vendor.com/class", "containerEdits": {"env": ["ALL=2"]}, "devices": [
 {"name": "shadowed", "containerEdits": {"env": ["WHERE=dynamic"]}}, {"name": "contested-below", "containerEdits": {"env": ["WHERE=c"]}}]}' >"$work/dynamic/c.json"
echo broken >"$work/dynamic/broken.json"

# bundle NAME RUN-WORDS…: the configuration that the runtime was given
bundle() {
  local target=$1 id
  shift
  id=$(sw as_root crun run -d "$@" box sleep 9876506 2>"$work/err") || return 1
  cp "$(bundle_of as_root "$id")" "$target"
  cat "/proc/$(sed -n 's/.*"program_pid": \([0-9]*\).*/\1/p' "$(store_of as_root)/runs/$id/state.json")/mountinfo" \
    >"$target.mountinfo"
  sw as_root crun rm -f --discard "$id" >/dev/null 2>&1
}
# same WORDS… -- NAMES…: with these words of run, both give the same, or both refuse
same() {
  local words=() names=() devices=() name
  while [ "$1" != -- ]; do words+=("$1"); shift; done
  shift
  for name in "$@"; do names+=("vendor.com/class=$name"); devices+=(--device "vendor.com/class=$name"); done
  ours() {
    bundle "$work/ours.json" "${words[@]}" --cdi-spec-dir "$work/static" --cdi-spec-dir "$work/dynamic" "${devices[@]}"
  }
  bundle "$work/base.json" "${words[@]}" || check "the run without devices" ok "$(cat "$work/err")"
  if "$inject" edit "$work/base.json" "$work/static:$work/dynamic" "${names[@]}" >"$work/theirs.json" 2>"$work/their.err"; then
    compared=$((compared + 1))
    if ours; then
      check "$*" "" "$(python3 "$here/cdi_compare_runs.py" "$work/ours.json" "$work/theirs.json")"
    else
      check "$*" "taken as by CDI's library" "$(cat "$work/err")"
    fi
  else
    ! ours || check "$*" "refused as by CDI's library: $(cat "$work/their.err")" taken
    refused=$((refused + 1))
  fi
}
compared=0 refused=0
for one in env open block said half numbers none pipe again mounts tmpfs groups shadowed \
  missing half-missing file other-type contested contested-below nosuch; do
  same -- $one
done
same --user 0 -- open half said
same --user 1234:55 --group-add 70 --group-add 90 -- groups open
same -e TWICE=mine -e NEW=1 -- env env
same -v "$host/folder:/m/deep:ro" -- mounts
same -v "$host/folder:/all/x" -- shadowed env
same -- env shadowed block numbers groups
check "taken and refused" "19 and 7" "$compared and $refused"
nothing_left afterwards
finish
