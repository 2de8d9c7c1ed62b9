#!/bin/bash
# time-out: 600
# Devices of CDI files in real containers: nodes, mounts, variables and groups, links and the loader's
# cache in place of hooks; what is refused and how it is told; files that do not count.
. "$(dirname "$0")/runs_common.sh"

command -v jq >/dev/null || skip "needs jq"
host=$work/host
specs=$work/specs
mkdir -p "$host/lib/sub" "$host/given" "$specs/etc" "$specs/run"
# /dev/zero's number under names that are nowhere else, open to all and to a group alone.
mknod -m 666 "$host/card" c 1 5 && mknod -m 660 "$host/closed" c 1 5 || skip "no device node can be made here"
mkfifo -m 666 "$host/pipe"
head -c 1 "$host/card" >/dev/null 2>&1 || skip "devices are switched off in /var/tmp (nodev)"
echo of the vendor >"$host/data"
printf '#!/bin/sh\necho tool ran\n' >"$host/tool" && chmod 755 "$host/tool"
echo deep >"$host/lib/sub/file"
ln -s ../card1 "$host/lib/by-path"
ln -s card "$host/by-path"
chmod -R a+rX "$host" "$specs"
chmod 777 "$host/given"

cat >"$specs/etc/vendor.yaml" <<YAML
---
cdiVersion: "0.7.0"
kind: vendor.com/card
containerEdits:
  env: [VENDOR=all, PATH=/bin:/opt/vendor]
  mounts:
  - {hostPath: $host/data, containerPath: /etc/vendor.conf, options: [ro, nosuid, nodev, rbind, rprivate]}
devices:
- name: "0"
  containerEdits:
    env: ["CARD=0"]
    deviceNodes:
    - {path: /dev/vendor/card0, hostPath: $host/card, permissions: rw}
    mounts:
    - {hostPath: $host/tool, containerPath: /opt/vendor/tool, options: [ro]}
    - {hostPath: $host/lib, containerPath: /opt/vendor/lib, options: [ro, noexec, bind], type: bind}
    - {hostPath: $host/lib, containerPath: /dev/dri/by-path, options: [ro]}
- name: pipe
  containerEdits:
    deviceNodes: [{path: /dev/vendor/pipe, hostPath: $host/pipe, type: p}]
# As AMD's and Intel's tools write them.
- name: amd
  containerEdits:
    deviceNodes: [{path: /dev/kfd, hostPath: $host/card, type: c, major: 1, minor: 5, fileMode: 69206454, permissions: rw, uid: 0, gid: 0}]
- name: intel
  containerEdits:
    deviceNodes: [{path: /dev/dri/card0, hostPath: $host/card, type: c}]
    mounts: [{hostPath: $host/by-path, containerPath: /dev/dri/by-path/pci-card, type: none, options: [bind, rw]}]
- name: groups
  containerEdits:
    deviceNodes: [{path: /dev/vendor/closed, hostPath: $host/closed, gid: 4242, fileMode: 0660}]
    additionalGids: [4242, 0, 4242]
- name: written
  containerEdits:
    mounts: [{hostPath: $host/data, containerPath: /srv/data}]
- name: memory
  containerEdits:
    mounts: [{hostPath: tmpfs, containerPath: /scratch, type: tmpfs, options: [size=64k, mode=1777]}]
- {name: numbered, containerEdits: {deviceNodes: [{path: /dev/made, type: c, major: 1, minor: 5}]}}
- {name: missing, containerEdits: {deviceNodes: [{path: /dev/vendor-missing}]}}
- {name: plain, containerEdits: {deviceNodes: [{path: /dev/x, hostPath: $host/data}]}}
- {name: linked, containerEdits: {deviceNodes: [{path: /dev/x, hostPath: $host/lib/by-path}]}}
- {name: outside, containerEdits: {deviceNodes: [{path: /etc/card, hostPath: $host/card}]}}
- {name: taken, containerEdits: {deviceNodes: [{path: /dev/vendor/../null, hostPath: $host/card}]}}
- {name: proc, containerEdits: {mounts: [{hostPath: $host/data, containerPath: /proc/version}]}}
- {name: root, containerEdits: {mounts: [{hostPath: $host, containerPath: /}]}}
- {name: node-as-mount, containerEdits: {mounts: [{hostPath: $host/card, containerPath: /card}]}}
- {name: gone, containerEdits: {mounts: [{hostPath: $host/gone, containerPath: /gone}]}}
- {name: inside, containerEdits: {deviceNodes: [{path: /dev/y/../x/node, hostPath: $host/card}], mounts: [{hostPath: $host/given, containerPath: /dev/x}]}}
- {name: made-inside, containerEdits: {deviceNodes: [{path: /dev/x/node, type: c, major: 1, minor: 5}], mounts: [{hostPath: $host/given, containerPath: /dev/x/}]}}
- {name: there-inside, containerEdits: {deviceNodes: [{path: /dev/x/card, hostPath: $host/card}], mounts: [{hostPath: $host, containerPath: /dev/x}]}}
- {name: folder, containerEdits: {mounts: [{hostPath: $host/given, containerPath: /dev/x}]}}
- {name: away, containerEdits: {mounts: [{hostPath: $host/given, containerPath: /away/x}]}}
- name: nested
  containerEdits:
    mounts:
    - {hostPath: $host/data, containerPath: /opt/outer/sub/file, options: [ro, noexec]}
    - {hostPath: $host/lib, containerPath: /opt/outer}
- {name: shared, containerEdits: {mounts: [{hostPath: $host, containerPath: /x, options: [rshared]}]}}
- {name: overlay, containerEdits: {mounts: [{hostPath: $host, containerPath: /x, type: overlay}]}}
YAML
# A library under its full name, in a folder that no loader knows.
has_loader=no
libc=$(ldd /bin/sh 2>/dev/null | sed -n 's/.*libc.so.6 => \([^ ]*\) .*/\1/p')
loader=$(ldd /bin/sh 2>/dev/null | sed -n 's/^[^\/]*\(\/[^ ]*ld-linux[^ ]*\) .*/\1/p')
if command -v cc >/dev/null && [ -e "$libc" ] && [ -e "$loader" ]; then
  has_loader=yes
  mkdir "$host/lib64"
  echo 'int vendor(void) { return 7; }' |
    cc -shared -fPIC -Wl,-soname,libvendor.so.7 -o "$host/lib64/libvendor.so.7.1" -x c - || exit 1
  mkdir -p "$host/libs/x64"
  echo 'int vendor(void) { return 7; }' |
    cc -shared -fPIC -Wl,-soname,libfolder.so.3 -o "$host/libs/x64/libfolder.so.3.0" -x c - || exit 1
  cat >"$work/probe.c" <<'C'
#include <dlfcn.h>
int main(int count, char** words) {
  void* library = count > 1 ? dlopen(words[1], RTLD_NOW) : 0;
  int (*vendor)(void) = library ? (int (*)(void))dlsym(library, "vendor") : 0;
  return vendor ? vendor() : 1;
}
C
  cc -o "$host/probe" "$work/probe.c" -ldl || exit 1
  chmod -R a+rX "$host"
fi
cat >"$specs/etc/hooks.json" <<JSON
{"cdiVersion": "1.1.0", "kind": "vendor.com/hook", "devices": [
 {"name": "unknown", "containerEdits": {"env": ["HOOK=no"], "hooks": [
  {"hookName": "createContainer", "path": "$host/tool", "args": ["tool", "go"]}]}},
 {"name": "links", "containerEdits": {"hooks": [
  {"hookName": "createContainer", "path": "/usr/bin/nvidia-cdi-hook", "args": ["nvidia-cdi-hook",
   "create-symlinks", "--link", "libx.so.1::/usr/lib/deep/libx.so", "--link", "/etc/passwd::/lib2/y",
   "--link", "../card7::/dev/dri/by-path/pci-7"]}]}},
 {"name": "loader", "containerEdits": {"mounts": [
  {"hostPath": "$host/lib64/libvendor.so.7.1", "containerPath": "/opt/vendor/lib64/libvendor.so.7.1", "options": ["ro"]},
  {"hostPath": "$host/libs", "containerPath": "/opt/libs", "options": ["ro"]},
  {"hostPath": "$host/probe", "containerPath": "/bin/probe", "options": ["ro"]},
  {"hostPath": "$libc", "containerPath": "$libc"}, {"hostPath": "$loader", "containerPath": "$loader"}],
  "hooks": [{"hookName": "createContainer", "path": "/usr/bin/nvidia-ctk", "args": ["nvidia-ctk", "hook",
   "update-ldcache", "--folder", "/opt/vendor/lib64", "--folder=/opt/libs/x64"]}]}},
 {"name": "no-link", "containerEdits": {"hooks": [{"hookName": "createContainer",
  "path": "/usr/bin/nvidia-cdi-hook", "args": ["nvidia-cdi-hook", "create-symlinks", "--link", "x::/"]}]}},
 {"name": "proc-link", "containerEdits": {"hooks": [{"hookName": "createContainer",
  "path": "/usr/bin/nvidia-cdi-hook", "args": ["nvidia-cdi-hook", "create-symlinks", "--link", "x::/usr/../proc/x"]}]}},
 {"name": "net", "containerEdits": {"netDevices": [{"hostInterfaceName": "eth9", "name": "net0"}]}},
 {"name": "rdt", "containerEdits": {"intelRdt": {"closID": "gold"}}}]}
JSON
cat >"$specs/etc/gpu.yaml" <<'YAML'
cdiVersion: 0.6.0
kind: nvidia.com/gpu
devices:
- {name: "0", containerEdits: {env: [GPU=zero]}}
- {name: gpu0, containerEdits: {env: [GPU=named]}}
YAML
printf 'cdiVersion: 0.6.0\nkind: vendor.com/card\ndevices:\n- name: "0"\n  containerEdits: {env: [CARD=dynamic]}\n' \
  >"$specs/run/newer.yaml"
echo 'nonsense: true' >"$specs/run/broken.yaml"

static="--cdi-spec-dir $specs/etc"
image_layer() { ls -d "$(store_of $1)"/layers/*; }

cdi() {
  s="sw $1 $2"
  # What a device brings.
  check "$1 $2 variables" "all 0 /bin:/opt/vendor" \
    "$($s run --rm $static --device vendor.com/card=0 box sh -c 'echo $VENDOR $CARD $PATH')"
  check "$1 $2 the vendor's word is the last" "0" \
    "$($s run --rm $static --device vendor.com/card=0 -e CARD=mine box sh -c 'echo $CARD')"
  check "$1 $2 a node under its name" "4 character special file 1:5" \
    "$($s run --rm $static --device vendor.com/card=0 box sh -c 'echo $(head -c 4 /dev/vendor/card0 | wc -c) $(stat -c "%F %t:%T" /dev/vendor/card0)')"
  check "$1 $2 that can be written" "" \
    "$($s run --rm $static --device vendor.com/card=0 box sh -c 'echo x >/dev/vendor/card0' 2>&1)"
  check "$1 $2 files and folders" "of the vendor deep ../card1" \
    "$($s run --rm $static --device vendor.com/card=0 box sh -c 'echo $(cat /etc/vendor.conf /opt/vendor/lib/sub/file) $(readlink /dev/dri/by-path/by-path)')"
  check "$1 $2 a program of a mount is found" "tool ran" \
    "$($s run --rm $static --device vendor.com/card=0 box tool)"
  check "$1 $2 read-only stays so" "no" \
    "$($s run --rm --user 0 $static --device vendor.com/card=0 box sh -c 'echo y >/etc/vendor.conf 2>/dev/null || echo no' 2>/dev/null)"
  check "$1 $2 options" "ro,nosuid,nodev,noexec" \
    "$($s run --rm $static --device vendor.com/card=0 box sed -n 's/.* \/opt\/vendor\/lib \([a-z,]*\),relatime .*/\1/p' /proc/self/mountinfo)"
  check "$1 $2 as AMD has it" "4 crw-rw-rw-" \
    "$($s run --rm $static --device vendor.com/card=amd box sh -c 'echo $(head -c 4 /dev/kfd | wc -c) $(stat -c %A /dev/kfd)')"
  check "$1 $2 as Intel has it" "4 4" \
    "$($s run --rm $static --device vendor.com/card=intel box sh -c 'for n in card0 by-path/pci-card; do head -c 4 /dev/dri/$n | wc -c; done | xargs echo')"
  check "$1 $2 a pipe" "fifo" "$($s run --rm $static --device vendor.com/card=pipe box stat -c %F /dev/vendor/pipe)"
  check "$1 $2 memory" "64" "$($s run --rm $static --device vendor.com/card=memory box sh -c 'df -k /scratch | awk "END { print \$2 }"')"
  check "$1 $2 a mount below a volume" "of the vendor" \
    "$($s run --rm $static -v "$host:/srv:ro" --device vendor.com/card=written box cat /srv/data 2>/dev/null)"

  # Dynamic files go before static ones; the variable names the folders as well.
  check "$1 $2 priority" "dynamic" \
    "$($s run --rm $static --cdi-spec-dir "$specs/run" --device vendor.com/card=0 box sh -c 'echo $CARD')"
  if [ $1 = as_root ]; then
    check "$1 $2 the variable" "dynamic" \
      "$(SLIPWAY_CDI_SPEC_DIRS=$specs/etc:$specs/run $s run --rm --device vendor.com/card=0 box sh -c 'echo $CARD')"
    check "$1 $2 groups" "crw-rw---- 4242 1000 4242" \
      "$($s run --rm $static --device vendor.com/card=groups box sh -c 'echo $(stat -c "%A %g" /dev/vendor/closed) $(id -G)')"
    check "$1 $2 its group may" 4 \
      "$($s run --rm $static --device vendor.com/card=groups box sh -c 'head -c 4 /dev/vendor/closed | wc -c')"
    check "$1 $2 a node of numbers alone" 4 \
      "$($s run --rm $static --device vendor.com/card=numbered box sh -c 'head -c 4 /dev/made | wc -c')"
  else
    check "$1 $2 groups of the host" "1000" \
      "$($s run --rm $static --device vendor.com/card=groups box id -G 2>"$work/err")"
    contains "$1 $2 are told" "wants group 4242 of this machine" "$(cat "$work/err")"
    $s run --rm $static --device vendor.com/card=numbered box true 2>"$work/err"
    check "$1 $2 a node that is not there cannot be made" 125 $?
    contains "$1 $2 and which" "/dev/made" "$(cat "$work/err")"
  fi

  # NVIDIA's: what Slipway finds out itself is not asked of files, unless it cannot.
  check "$1 $2 a name of a file" "named" \
    "$($s run --rm $static --device nvidia.com/gpu=gpu0 box sh -c 'echo $GPU')"
  if [ ! -e /dev/nvidiactl ] && [ ! -e /dev/dxg ]; then
    check "$1 $2 a GPU without nodes of the driver" "zero" \
      "$($s run --rm $static --device nvidia.com/gpu=0 box sh -c 'echo $GPU')"
    $s run --rm $static --device nvidia.com/gpu=1 box true 2>"$work/err"
    check "$1 $2 a GPU of no file" 125 $?
    contains "$1 $2 is ours to refuse" "--gpus" "$(cat "$work/err")"
  fi

  # In place of hooks.
  check "$1 $2 links" "libx.so.1 /etc/passwd ../card7" \
    "$($s run --rm $static --device vendor.com/hook=links box sh -c 'for l in /usr/lib/deep/libx.so /lib2/y /dev/dri/by-path/pci-7; do readlink $l; done | xargs echo')"
  if [ $has_loader = yes ]; then
    for library in libvendor.so.7 libvendor.so.7.1 libfolder.so.3 libfolder.so.3.0; do
      $s run --rm $static --device vendor.com/hook=loader box probe $library
      check "$1 $2 the loader finds $library" 7 $?
    done
    mkdir "$(image_layer $1)/etc/ld.so.conf.d"
    check "$1 $2 the next ldconfig too" "/opt/vendor/lib64 /opt/libs/x64" \
      "$($s run --rm $static --device vendor.com/hook=loader box cat /etc/ld.so.conf.d/001-slipway-cdi.conf | xargs echo)"
    rmdir "$(image_layer $1)/etc/ld.so.conf.d"
  fi
  $s run --rm $static --device vendor.com/hook=unknown box true 2>"$work/err"
  check "$1 $2 a hook" 125 $?
  contains "$1 $2 and which" "\`createContainer\` of \`$host/tool go\`" "$(cat "$work/err")"
  contains "$1 $2 and what to do" "--without-hooks" "$(cat "$work/err")"
  check "$1 $2 without it" "no" \
    "$($s run --rm $static --without-hooks --device vendor.com/hook=unknown box sh -c 'echo $HOOK' 2>"$work/err")"
  contains "$1 $2 is told" "does without a hook" "$(cat "$work/err")"

  # What cannot be had.
  while read -r device text; do
    $s run --rm $static --device vendor.com/$device box true 2>"$work/err"
    [ $? -ne 0 ] || check "$1 $2 $device is refused" "an error" none
    contains "$1 $2 $device" "$text" "$(grep -A9 '^error:' "$work/err")"
  done <<CASES
card=missing the device node \`/dev/vendor-missing\` is not there
card=plain is no device node
card=linked is no device node
card=outside does not lie in \`/dev\`
card=taken would take the place of the container's own
card=proc lies in \`/proc\`
card=root cannot take the place of \`/\`
card=node-as-mount is a device node
card=gone $host/gone
card=inside the device node \`/dev/x/node\` lies in \`/dev/x\`, which a CDI file mounts
card=made-inside the device node \`/dev/x/node\` lies in \`/dev/x\`, which a CDI file mounts
card=there-inside the device node \`/dev/x/card\` lies in \`/dev/x\`, which a CDI file mounts
card=shared wants \`rshared\`
card=overlay is of type \`overlay\`
hook=no-link can be no link
hook=proc-link lies in \`/proc\`
hook=net the network interface \`eth9\`
hook=rdt Intel's RDT
CASES

  $s run --rm $static --device vendor.com/card=folder --device /dev/zero:/dev/x/zero box true 2>"$work/err"
  check "$1 $2 a node below a CDI mount" 125 $?
  contains "$1 $2 a node below a CDI mount" "the device node \`/dev/x/zero\` lies in \`/dev/x\`" "$(cat "$work/err")"

  # Nothing is made in the host's folders: not the nodes, and not through links of the image.
  check "$1 $2 nothing is made in what is mounted" "" "$(ls "$host/given")"
  mkdir -p "$(folder_of $1)/swapped" && ln -sfn /dev "$(folder_of $1)/swapped/data"
  for spot in /dev /proc /sys ../../dev/deep; do
    ln -sfn $spot "$(image_layer $1)/away"
    $s run --rm $static --device vendor.com/card=away box true 2>"$work/err"
    check "$1 $2 a CDI mount below a link to $spot" 125 $?
    contains "$1 $2 a CDI mount below a link to $spot" "the image's links lead \`/away/x\`" "$(cat "$work/err")"
  done
  rm "$(image_layer $1)/away"
  check "$1 $2 nothing is made behind a link" "" "$(ls "$host/given")"
  $s run --rm $static -v "$(folder_of $1)/swapped:/srv" --device vendor.com/card=written box true 2>"$work/err"
  check "$1 $2 a place in a volume behind a link that leads out" 125 $?
  contains "$1 $2 a place in a volume behind a link that leads out" "cannot attach a mount at \`data\`" "$(cat "$work/err")"
  check "$1 $2 mounts in mounts, the deeper one first" "of the vendor ro,nosuid,nodev,noexec" \
    "$($s run --rm $static --device vendor.com/card=nested box sh -c 'cat /opt/outer/sub/file; sed -n "s/.* \/opt\/outer\/sub\/file \([a-z,]*\),relatime .*/\1/p" /proc/self/mountinfo' | xargs echo)"

  # Names that are not there.
  $s run --rm $static --cdi-spec-dir "$specs/run" --device vendor.com/card=pip box true 2>"$work/err"
  check "$1 $2 a mistyped name" 125 $?
  contains "$1 $2 the nearest" 'did you mean `vendor.com/card=pipe`' "$(cat "$work/err")"
  contains "$1 $2 who defines the kind" "$specs/etc/vendor.yaml" "$(cat "$work/err")"
  contains "$1 $2 which files are broken" "$specs/run/broken.yaml\` cannot be used" "$(cat "$work/err")"
  $s run --rm --device vendor.com=x box true 2>"$work/err"
  check "$1 $2 no such form" 2 $?

  # The receipt.
  $s run --name told $static --without-hooks --device vendor.com/card=0 --device vendor.com/hook=unknown box true 2>/dev/null
  $s inspect told | jq .receipt >"$work/receipt"
  check "$1 $2 names in the receipt" "vendor.com/card=0 vendor.com/hook=unknown" \
    "$(jq -r '.cdi.devices | join(" ")' "$work/receipt")"
  check "$1 $2 files" "$specs/etc/vendor.yaml $specs/etc/hooks.json" "$(jq -r '.cdi.files | join(" ")' "$work/receipt")"
  check "$1 $2 hooks that were left out" 1 "$(jq '.cdi.left_out_hooks | length' "$work/receipt")"
  check "$1 $2 a mounted file's sha256" "$(sha256sum <"$host/tool" | cut -d' ' -f1)" \
    "$(jq -r '.host_files[] | select(.target == "/opt/vendor/tool").sha256' "$work/receipt")"
  check "$1 $2 a mounted folder" "$host/lib ro" \
    "$(jq -r '.mounts[] | select(.target == "/opt/vendor/lib") | "\(.source) \(.access)"' "$work/receipt")"
  check "$1 $2 nodes" "1:5" "$(jq -r '.devices[] | select(.path == "/dev/vendor/card0").number' "$work/receipt")"
  check "$1 $2 nothing is to be lost" "" "$($s rm told 2>&1 >/dev/null)"

  # `--verify` knows them all: made by the runtime as root, bound from the host otherwise.
  for device in card=0 card=pipe card=amd card=intel card=groups card=memory card=written hook=links; do
    said=$($s run --rm --verify $static --device vendor.com/$device box echo ran 2>&1)
    contains "$1 $2 $device verified" "verified: " "$said"
    contains "$1 $2 $device runs" ran "$said"
  done
  # Beside `--device`, whose node has a name of its own only as root.
  more=/dev/tty
  [ $1 = as_user ] || more="/dev/zero:/dev/deep/zero --device /dev/zero:/dev/top"
  said=$($s run --rm --verify $static --device vendor.com/card=0 --device vendor.com/card=pipe --device $more box true 2>&1)
  check "$1 $2 devices of both kinds" 0 $?
  contains "$1 $2 devices of both kinds" "devices of the host" "$said"
}
each cdi

# Whose files count: as root, not those that others could write; a user's own do for them.
chown 4711 "$specs/etc/vendor.yaml"
sw as_root crun run --rm $static --device vendor.com/card=0 box true 2>"$work/err"
check "a file of somebody else" 125 $?
contains "and whose" "it belongs to user 4711" "$(cat "$work/err")"
chown 0 "$specs/etc/vendor.yaml" && chmod o+w "$specs/etc/vendor.yaml"
sw as_root crun run --rm $static --device vendor.com/card=0 box true 2>"$work/err"
check "a file that others can write" 125 $?
contains "and what to do" "chmod go-w" "$(cat "$work/err")"
chmod o-w "$specs/etc/vendor.yaml"
if [ $has_user = yes ]; then
  mkdir "$work/user/cdi"
  printf 'cdiVersion: 0.6.0\nkind: my.own/thing\ndevices:\n- {name: a, containerEdits: {env: [MINE=yes]}}\n' \
    >"$work/user/cdi/own.yaml"
  chown -R "$user_id" "$work/user/cdi"
  check "a user's own file" yes \
    "$(sw as_user crun run --rm --cdi-spec-dir cdi --device my.own/thing=a box sh -c 'echo $MINE')"
  sw as_root crun run --rm --cdi-spec-dir "$work/user/cdi" --device my.own/thing=a box true 2>/dev/null
  check "is none of root's" 125 $?
fi

# A second life finds what the first had made, and follows nothing that it left.
mkdir -p "$work/trap"
id=$(sw as_root crun run -d --user 0 --restart on-failure:2 $static --device vendor.com/hook=links box \
  sh -c 'readlink /lib2/y; rm -r /lib2; ln -s '"$work/trap"' /lib2; false' 2>/dev/null)
until_true sh -c "'$work/slipway' --version >/dev/null; grep -q exited '$work/store/runs/$id/state.json'"
check "nothing is made where a container's link leads" "" "$(ls "$work/trap")"
check "and the run ends" "/etc/passwd" "$(sw as_root crun logs $id 2>/dev/null | head -1)"
sw as_root crun rm -f --discard $id >/dev/null 2>&1
nothing_left afterwards
finish
