#!/bin/sh
# Which runtime is taken, hybrid control groups, and a hundred layers on old and new kernels.
. "$(dirname "$0")/run_common.sh"

# A crun that never works, then one that is not there.
mkdir "$work/fake"
if [ "$(runtimes | wc -l)" -eq 2 ]; then
  printf '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = --log ] && log=$2; shift; done\necho "{\\"level\\":\\"error\\",\\"msg\\":\\"no, not here\\"}" > "$log"\nexit 1\n' >"$work/fake/crun"
  chmod +x "$work/fake/crun"
  check "runc where crun fails" "5" "$(PATH=$work/fake:$PATH as_root -- sh -c 'exit 5' 2>"$work/err"; echo $?)"
  contains "and says so" "no, not here" "$(cat "$work/err")"
  PATH=$work/fake:$PATH as_root --runtime crun -- true 2>"$work/err"
  check "not where crun was asked for" 125 $?
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
