#!/bin/bash
# time-out: 900
# OCI's validation programs drive a runtime by itself, then the same one through Slipway's launcher
# (room_runtime.cc): what passes by itself must pass there. How many pass by itself is the runtime's
# business and the kernel's, and is only told; a few that cannot pass anywhere are always among the
# failures (runtime.md, section 6).
if [ -z "${OCI_PRIVATE:-}" ] && [ "$(id -u)" -eq 0 ]; then
  # crun 1.8 refuses hybrid control groups, by itself as much as it would through us.
  OCI_PRIVATE=yes exec unshare -m --propagation private bash -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec bash "$0"' "$0"
fi
. "$(dirname "$0")/../cli/common.sh"
need_root
. "$top/tests/system/oci_common.sh"
launcher=$SLIPWAY_BUILD/src/run/room_runtime
[ -x "$launcher" ] || skip "no program $launcher: \`make test\` builds it"

# validate FOLDER PROGRAM: FOLDER/results gets `PROGRAM passed|failed`. Passed is: it ends well, and
# says `ok` at least once and `not ok` never.
cat >"$scratch/validate" <<'VALIDATE'
#!/bin/bash
# A container of theirs may mount into the namespace that it shares with the program: that is one of
# its own, which goes with it, so that nobody's files lie in what is cleaned up.
[ -n "${OCI_OWN:-}" ] || OCI_OWN=yes exec unshare --mount --ipc --propagation private "$0" "$@"
program=$2
place=$(mktemp -d "$1/$program.XXXXXX")
mkdir "$place/tmp" "$place/rooms" && cd "$place" || exit 1
ln "$OCI_TOOLS/runtimetest" "$OCI_TOOLS"/rootfs-*.tar.gz . 2>/dev/null || cp "$OCI_TOOLS/runtimetest" "$OCI_TOOLS"/rootfs-*.tar.gz .
export ROOM_FOLDER=$place/rooms TMPDIR=$place/tmp
timeout -k 5 60 $OCI_AROUND "$OCI_TOOLS/$program" >"$1/$program.out" 2>"$1/$program.err" </dev/null
status=$?
verdict=failed
[ $status -ne 0 ] || ! grep -q '^ok' "$1/$program.out" || grep -q '^not ok' "$1/$program.out" || verdict=passed
echo "$program $verdict" >>"$1/results"
VALIDATE
chmod +x "$scratch/validate"

# These share control groups by name; the others can go side by side, since they mostly wait.
programs() { (cd "$oci_tools" && ls | grep -v -e '^runtimetest$' -e '^rootfs-.*gz$'); }
alone='cgroups|delete'
validate_all() { # FOLDER
  mkdir -p "$1"
  programs | grep -Ev "$alone" | xargs -P 8 -n 1 "$scratch/validate" "$1"
  programs | grep -E "$alone" | xargs -n 1 "$scratch/validate" "$1"
  sort -o "$1/results" "$1/results"
  assert_equal "$1: how many there are" "$(programs | wc -l)" "$(wc -l <"$1/results")"
}
passed() { sed -n 's/ passed$//p' "$1/results"; }

passes() { grep -qx "$2 passed" "$scratch/$1/results"; }

# What is lost with a room for each container, by what the program asks: that the container shares
# the mount and process namespaces of the program itself, or finds a process by its id out here, or
# tells a hook that id. Slipway hands none of these over, and has no hooks; where the program is in
# the room with the runtime, they too must pass.
others='linux_ns_itype linux_ns_path hooks_stdin'
# The programs leave their control groups behind, and their containers where they fail.
groups_of_theirs() { find /sys/fs/cgroup -maxdepth 3 \( -name cgrouptest -o -path '*/testdir' \) 2>/dev/null; }
groups_before=$(groups_of_theirs)
clean_up() {
  groups_of_theirs | grep -vxF "$groups_before" | sort -r | xargs -r rmdir 2>/dev/null
  at_end
}
trap clean_up EXIT

export OCI_TOOLS=$oci_tools OCI_AROUND=
for runtime in crun runc; do
  path=$(PATH=$PATH:/usr/sbin command -v $runtime) || continue
  RUNTIME=$path validate_all "$scratch/$runtime-bare"
  ROOM_RUNTIME=$path RUNTIME=$launcher validate_all "$scratch/$runtime-ours"
  try_ours() { ROOM_RUNTIME=$path RUNTIME=$launcher "$scratch/validate" "$scratch/$runtime-ours" $1; }
  try_bare() { RUNTIME=$path "$scratch/validate" "$scratch/$runtime-bare" $1; }
  # Some pass by luck (pidfile: its KILL has to meet a container whose command is `true`).
  passes_steadily() {
    for again in 1 2 3; do
      sed -i "/^$1 /d" "$scratch/$runtime-bare/results"
      try_bare $1
      passes $runtime-bare $1 || return 1
    done
  }
  try_within() { ROOM_RUNTIME=$path OCI_AROUND="$launcher in" "$scratch/validate" "$scratch/$runtime-within" $1; }
  mkdir "$scratch/$runtime-within"
  for program in $others; do try_within $program; done
  echo "$runtime: of $(programs | wc -l), $(passed "$scratch/$runtime-bare" | wc -l) pass by itself," \
    "$(passed "$scratch/$runtime-ours" | wc -l) through the launcher"
  [ "$(passed "$scratch/$runtime-bare" | wc -l)" -ge 20 ] || fail "$runtime passes next to nothing: nothing is compared"
  lost=
  for program in $(passed "$scratch/$runtime-bare"); do
    case " $others " in *" $program "*) way=within ;; *) way=ours ;; esac
    # They wait for seconds where a busy machine may need more: so three tries, the last two alone.
    for again in 1 2; do
      passes $runtime-$way $program || try_$way $program
    done
    passes $runtime-$way $program || ! passes_steadily $program || lost="$lost $program"
  done
  assert_equal "what passes with $runtime alone" "" "$lost"
done
