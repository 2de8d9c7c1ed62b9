#!/bin/sh
# What the image's user writes to a volume belongs to the caller outside, and the reverse.
. "$(dirname "$0")/run_common.sh"

volumes() {
  place=$(folder_of $1)/volume
  me=$(id_of $1)
  rm -rf "$place"
  mkdir "$place"
  echo mine >"$place/mine"
  chmod 600 "$place/mine"
  chown -R "$me:$me" "$place"
  run="$1 --runtime $2 -v $place:/work/space"
  check "$1 $2 sees own files" "1000 1000" "$($run -- stat -c '%u %g' /work/space/mine)"
  check "$1 $2 reads them" "mine" "$($run -- cat /work/space/mine)"
  $run -w /work/space -- sh -c 'echo made > made; mkdir folder; echo more >> mine; mkdir -p deep/er'
  check "$1 $2 writes" "0" "$?"
  check "$1 $2 new file" "$me $me" "$(stat -c '%u %g' "$place/made")"
  check "$1 $2 new folder" "$me $me" "$(stat -c '%u %g' "$place/folder")"
  check "$1 $2 deep folder" "$me $me" "$(stat -c '%u %g' "$place/deep/er")"
  check "$1 $2 changed file" "mine more" "$(tr '\n' ' ' <"$place/mine" | sed 's/ $//')"
  check "$1 $2 read-only" "no" \
    "$($1 --runtime $2 -v "$place:/work/space:ro" -- sh -c 'touch /work/space/x 2>/dev/null || echo no')"
  check "$1 $2 one file" "made" "$($1 --runtime $2 -v "$place/made:/etc/deep/one" -- cat /etc/deep/one)"
  # Volumes in volumes, in any order: what they need of a place is made, and no link leads out of it.
  mkdir -p "$place/in/deep" && echo below >"$place/in/deep/file"
  ln -s deep "$place/in/near" && ln -s /nowhere "$place/in/far"
  chown -hR "$me:$me" "$place/in"
  check "$1 $2 volumes in a volume" "below made" \
    "$($1 --runtime $2 -v "$place/made:/v/new/x/one" -v "$place/in/deep:/v/new" -v "$place/in:/v" -- \
      sh -c 'echo $(cat /v/new/file) $(cat /v/new/x/one)' 2>&1)"
  check "$1 $2 a read-only one" "no made" \
    "$($1 --runtime $2 -v "$place/in:/v" -v "$place/in/deep:/v/ro:ro" -v "$place/made:/v/near/file" -- \
      sh -c 'touch /v/ro/x 2>/dev/null || echo $(echo no; cat /v/deep/file)' 2>&1)"
  $1 --runtime $2 -v "$place/in:/v" -v "$place/in/deep:/v/far" -- true 2>"$work/err"
  check "$1 $2 a place behind a link that leads out" 125 $?
  contains "$1 $2 a place behind a link that leads out" "cannot attach a mount at \`far\`" "$(cat "$work/err")"
  check "$1 $2 command in a volume" "0" \
    "$(cp "$work/tree/bin/busybox" "$place/busybox"; $run -- /work/space/busybox true >/dev/null 2>&1; echo $?)"
  $1 --runtime $2 --user 0 -v "$place:/v" -- touch /v/by-root 2>"$work/err"
  if [ $1 = as_root ]; then
    check "$1 $2 by root" "0 0" "$(stat -c '%u %g' "$place/by-root")"
  else
    contains "$1 $2 says whose files result" "subordinate" "$(cat "$work/err")"
  fi
}
each volumes

# A file that takes the output stays whose it was, whoever writes inside; so does /dev/null.
streams() {
  me=$(id_of $1)
  null=$(stat -c '%u %g %a' /dev/null)
  for user in 0 1000; do
    out=$(folder_of $1)/out-$user
    : >"$out"
    chown "$me:$me" "$out"
    $1 --runtime $2 --user $user -- sh -c 'echo said; echo again >>/dev/stdout' >>"$out" 2>&1 </dev/null
    check "$1 $2 $user the output" "said again" "$(tr '\n' ' ' <"$out" | sed 's/ $//')"
    check "$1 $2 $user the output's owner" "$me $me" "$(stat -c '%u %g' "$out")"
    $1 --runtime $2 --user $user -- chmod 600 /proc/self/fd/0 2>/dev/null
    check "$1 $2 $user /dev/null" "$null" "$(stat -c '%u %g %a' /dev/null)"
  done
}
each streams

# A folder whose group the namespace does not know, closed to others.
if [ $has_user = yes ]; then
  mkdir "$work/user/closed"
  echo inside >"$work/user/closed/file"
  chown -R "$user_id:4242" "$work/user/closed"
  chmod 700 "$work/user/closed"
  check "a folder of a foreign group" "inside" "$(as_user -v "$work/user/closed:/c" -- cat /c/file)"
fi

# As root on a file system that cannot be mapped: said, not silent.
mkdir "$work/procfs"
if mount -t proc proc "$work/procfs" 2>/dev/null; then
  as_root -v "$work/procfs:/p" -- true 2>"$work/err"
  contains "no map for procfs" "cannot be mounted with changed owners" "$(cat "$work/err")"
  umount "$work/procfs"
fi
nothing_left afterwards
finish
