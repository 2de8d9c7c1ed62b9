#!/bin/sh
# Which runtime is taken, hybrid control groups, and a hundred layers on old and new kernels.
. "$(dirname "$0")/run_common.sh"

# Which runtime is asked: each notes its name. What `crun` is, a test says; runc is the machine's.
mkdir "$work/fake"
fakes() { # TEXT…: what crun does once it has noted its name
  printf '#!/bin/sh\necho crun >>%s\n%s\n' "$work/asked" "$*" >"$work/fake/crun"
  printf '#!/bin/sh\necho runc >>%s\nexec %s "$@"\n' "$work/asked" "$runc" >"$work/fake/runc"
  chmod 755 "$work/fake/crun" "$work/fake/runc"
  rm -f "$work"/scratch/runtime-refused.* "$work"/user/scratch/runtime-refused.* "$work/asked"
  touch "$work/asked" && chmod 666 "$work/asked"
}
faked() { # WHO OPTIONS…
  faked_place=$(folder_of $1)
  faked_as=
  [ $1 = as_root ] || faked_as="setpriv --reuid slipway-test --regid slipway-test --init-groups --reset-env"
  shift
  $faked_as env PATH="$work/fake:$PATH" "$work/driver" --layer "$faked_place/tree" --scratch "$faked_place/scratch" \
    -e PATH=/bin "$@"
}
log='while [ $# -gt 0 ]; do [ "$1" = --log ] && log=$2; shift; done; say() { echo "{\"level\":\"error\",\"msg\":\"$1\"}" >"$log"; exit 1; };'
asked() { grep -v -x -e --version "$work/asked" | xargs echo; }

# The machine is the cause: what crun says, or that it cannot run at all.
of_machine() {
  who=$1
  fakes "$log say 'no, not here'"
  faked $who -- sh -c 'exit 5' 2>"$work/err"
  check "$who: runc where crun fails" 5 $?
  contains "$who: and says so" "no, not here" "$(cat "$work/err")"
  # Known from then on; until crun is another.
  : >"$work/asked"
  check "$who: known" "yes" "$(faked $who -- echo yes 2>"$work/err")"
  contains "$who: still told" "no, not here" "$(cat "$work/err")"
  contains "$who: crun is not asked again" "runc" "$(asked)"
  case $(asked) in *crun*) check "$who: crun is not asked again" runc "$(asked)" ;; esac
  find "$(folder_of $who)/scratch" -name 'runtime-refused.*' -exec touch -d '2 hours ago' {} +
  : >"$work/asked"
  faked $who -- true 2>"$work/err"
  contains "$who: but after an hour" crun "$(asked)"
  printf '#!/bin/sh\nexec %s "$@"\n' "$crun" >"$work/fake/crun"
  check "$who: a crun that works again" "" "$(faked $who -- true 2>&1)"

  fakes 'echo "crun: error while loading shared libraries: libyajl.so.2" >&2; exit 127'
  faked $who -- sh -c 'exit 6' 2>"$work/err"
  check "$who: runc where crun lacks a library" 6 $?
  contains "$who: which it says itself" "status 127 and logged nothing" "$(cat "$work/err")"
  fakes
  printf '\177ELFnone' >"$work/fake/crun"
  faked $who -- sh -c 'exit 7' 2>"$work/err"
  check "$who: runc where crun is for another processor" 7 $?
  contains "$who: and why" "Exec format error" "$(cat "$work/err")"

  fakes "$log say 'no, not here'"
  faked $who --runtime crun -- true 2>"$work/err"
  check "$who: not where crun was asked for" 125 $?
  check "$who: runc was not asked" "" "$(asked | grep runc)"
}

# The image is the cause: a file where a folder must be, a link in a circle. What
# crun says then may quote what the image is made of, the words of a machine's refusal too.
of_image() {
  who=$1
  place=$(folder_of $who)
  mkdir -p "$place/bad"
  while read -r path kind; do
    fakes "exec $crun \"\$@\""
    if [ $kind = file ]; then echo x >"$place/bad/$path"; else ln -s "$path" "$place/bad/$path"; fi
    [ $who = as_root ] || chown -h "$start:$start" "$place/bad/$path"
    faked $who --layer "$place/bad" -w "/$path" -- true >"$work/err" 2>&1
    check "$who: $path as a $kind" 125 $?
    contains "$who: $path as a $kind, by crun" "\`$work/fake/crun\` could not start the container" "$(cat "$work/err")"
    contains "$who: $path as a $kind, no runc" crun "$(asked)"
    case $(asked) in *runc*) check "$who: $path as a $kind brings no runc" crun "$(asked)" ;; esac
    check "$who: nothing is kept of it" "" "$(find "$place/scratch" -name 'runtime-refused.*')"
    rm "$place/bad/$path"
  done <<CASES
data file
loop link
cgroups-in-hybrid-mode-not-supported file
CASES
  # Nor where the runtime says of that container alone what it might say of a machine.
  fakes "case \"\$*\" in *probe*) exec $crun \"\$@\" ;; esac; $log say 'cgroups in hybrid mode not supported'"
  faked $who -- true >"$work/err" 2>&1
  check "$who: words are not enough" 125 $?
  contains "$who: the words are told" "cgroups in hybrid mode not supported" "$(cat "$work/err")"
  contains "$who: and what to try" "--runtime runc" "$(cat "$work/err")"
  check "$who: runc was not asked about that" "" "$(asked | grep runc)"
  # Where neither works, the first is reported.
  fakes "$log say 'no, not here'"
  printf '#!/bin/sh\necho runc >>%s\n%s\n' "$work/asked" "$log say 'nor here'" >"$work/fake/runc"
  faked $who -- true >"$work/err" 2>&1
  check "$who: neither works" 125 $?
  contains "$who: the first is told" "no, not here" "$(cat "$work/err")"
}
if [ "$(runtimes | wc -l)" -eq 2 ]; then
  crun=$(PATH=$PATH:/usr/sbin command -v crun) runc=$(PATH=$PATH:/usr/sbin command -v runc)
  for test in of_machine of_image; do
    $test as_root
    [ $has_user = no ] || $test as_user
  done
  rm -rf "$work/fake"
fi

if grep -q ' - cgroup2 ' /proc/self/mountinfo && grep -q ' - cgroup ' /proc/self/mountinfo; then
  bare() { # crun by itself refuses here (crun 1.8.1), so the next lines are a real test
    mkdir -p "$work/bundle"
    (cd "$work/bundle" && rm -f config.json && crun spec && sed -i "s|\"rootfs\"|\"$work/tree\"|;s|\"terminal\": true|\"terminal\": false|" config.json && crun run slipway-bare </dev/null 2>&1)
  }
  command -v crun >/dev/null && case $(bare) in *hybrid*) echo "note: $name: bare crun refuses this machine's hybrid control groups" ;; esac
fi
hybrid() { check "$1 $2 works" "yes" "$($1 --runtime $2 -- echo yes 2>/dev/null)"; }
each hybrid
check "the choice is silent" "yes" "$(as_root -- echo yes 2>&1)"

# A hundred layers with long names: 6400 bytes of digests do not fit the page of mount options.
layers() {
  place=$(folder_of $1)
  long=$(printf '%064d' 0)
  more=
  for i in $(seq 99); do
    layer=$place/layers/$i-$long
    if [ ! -d "$layer" ]; then
      mkdir -p "$layer/many"
      echo $i >"$layer/many/$i"
      echo $i >"$layer/top"
      [ $1 = as_root ] || chown -hR "$start:$start" "$layer"
    fi
    more="$more --layer $layer"
  done
  for names in "" --short-names; do
    # The tree is the first --layer, so on top; its files hide nothing of the others.
    check "$1 $2 $names all layers" "99 1" \
      "$($1 --runtime $2 $more $names -- sh -c 'echo $(ls /many | wc -l) $(cat /top)' 2>&1)"
    check "$1 $2 $names is writable" "new" \
      "$($1 --runtime $2 $more $names --user 0 -- sh -c 'echo new > /many/5; rm /top; cat /many/5' 2>&1)"
    check "$1 $2 $names command in a lower layer" 126 \
      "$($1 --runtime $2 $more $names -- /many/7 >/dev/null 2>&1; echo $?)"
  done
}
each layers
nothing_left afterwards
finish
