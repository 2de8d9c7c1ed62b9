#!/bin/bash
# `make dist`: one folder that runs without network in a root that holds a busybox and nothing else, and
# on Debian 11 and 13, whose C libraries are older and newer than the one that it carries.
# time-out: 600
. "$(dirname "$0")/../cli/common.sh"
need_root
need busybox
need readelf
! ldd "$(command -v busybox)" >/dev/null 2>&1 || skip "needs a static busybox (busybox-static)"
[ -x "$SLIPWAY_BUILD/slipway_launcher" ] || skip "no $SLIPWAY_BUILD/slipway_launcher: \`make dist\` builds it"
unshare --mount --pid --fork true 2>/dev/null || skip "needs mount and process namespaces"

# The same bytes twice, below the promised size.
"$top/tools/make_dist.py" "$SLIPWAY_BUILD" "$scratch/dist" >made || fail "make_dist.py"
"$top/tools/make_dist.py" "$SLIPWAY_BUILD" "$scratch/again" >/dev/null || fail "make_dist.py, again"
archive=$(echo "$scratch"/dist/*.tar.gz)
cmp "$archive" "$scratch"/again/*.tar.gz || fail "two archives of the same files differ"
folder=${archive%.tar.gz}
kilobytes=$(du -sk --apparent-size "$folder" | cut -f 1)
[ "$kilobytes" -lt 64000 ] || fail "the folder is $kilobytes KB"
assert_equal "what begins with a loader of the machine" "" \
  "$(for file in "$folder"/bin/*; do readelf -lW "$file" | grep INTERP; done)"
assert_equal "debug information" "" "$(readelf -SW "$folder/libexec/slipway" | grep '\.debug')"
for package in libc6 libcurl4 libarchive13 crun passt catatonit; do
  assert_file "$folder/share/licenses/$package/copyright"
  grep -q "^$package [0-9]" "$folder/share/packages.txt" || fail "packages.txt lacks $package"
done
assert_equal "owners and dates in the archive" "root/root 1980-01-01" \
  "$(tar --utc -tvf "$archive" | awk '{ print $2, $4 }' | sort -u)"

# make_root FOLDER: mount points and what is carried
make_root() {
  mkdir -p "$1/opt" "$1/proc" "$1/sys" "$1/dev" "$1/tmp" "$1/old"
  tar -xf "$archive" -C "$1/opt" && mv "$1"/opt/slipway-* "$1/opt/slipway"
  cp "$(command -v busybox)" "$1/opt/busybox"
}
# inside ROOT COMMAND…: without network, that root and no other
inside() {
  unshare --mount --net --pid --fork --kill-child bash -c '
    mount --make-rprivate / && mount --bind "$1" "$1" && cd "$1" &&
      mount -t proc proc proc && mount --rbind /dev dev && mount --rbind /sys sys || exit 99
    pivot_root . old && cd / && shift && /opt/busybox umount -l /old || exit 99
    exec /opt/busybox env -i PATH=/opt/slipway/bin:/usr/bin:/bin HOME=/tmp TERM=dumb NO_COLOR=1 "$@"' \
    inside "$@"
}

bare=$scratch/bare
make_root "$bare"
mkdir "$bare/bin"
for name in sh ls cat grep head; do ln -s /opt/busybox "$bare/bin/$name"; done
(cd "$bare/tmp" && python3 "$top/tests/cli/make_image.py" box gzip >/dev/null) || fail "no image"
assert_equal "C libraries of the bare root" "$(ls "$bare/opt/slipway/lib/libc.so.6")" \
  "$(find "$bare" -name 'libc.so*' -o -name 'ld-linux*')"

expect_ok inside "$bare" slipway --version
assert_equal "the version" "$("$SLIPWAY" --version)" "$out"
expect_ok inside "$bare" slipway doctor --json
assert_contains "doctor" '"runtimes"' "$out"
assert_contains "doctor's runtime" 'crun' "$out"
expect_error 1 "this host has no NVIDIA driver" inside "$bare" slipway gpu list
expect_ok inside "$bare" slipway load -i /tmp/box.tar
expect_ok inside "$bare" slipway images
assert_contains "images" "box:7" "$out"
expect_ok inside "$bare" slipway run --rm box:7 sh -c 'echo in "$(id -u)"'
assert_equal "a run" "in 0" "$out"
out inside "$bare" slipway run --rm box:7 sh -c 'exit 7'
assert_equal "its status" 7 "$status"
expect_ok inside "$bare" slipway run --rm --init box:7 sh -c 'read name </proc/1/comm; echo "$name"'
assert_equal "the carried init" .slipway-init "$out"
expect_ok inside "$bare" slipway save box:7 -o /tmp/saved.tar
expect_error 4 "External interface" inside "$bare" slipway run --rm --network private box:7 ls

# A detached run: its monitor is known by name, outlives its caller, and takes commands.
cat >"$bare/tmp/detached.sh" <<'SH'
set -e
slipway run -d --name long box:7 sleep 300 >/dev/null
grep -hs -m 1 '^slipway$' /proc/[0-9]*/comm | head -n 1
slipway exec long echo again
slipway stop -t 0 long >/dev/null
slipway ps -a
slipway rm long >/dev/null
SH
expect_ok inside "$bare" sh /tmp/detached.sh
assert_equal "a monitor by name" slipway "$(head -n 1 <<<"$out")"
assert_contains "exec" again "$out"
assert_contains "after stop" Exited "$out"

# What a link names, a folder that has moved, a caller's own LD_ variables.
ln -s ../opt/slipway/bin/slipway "$bare/bin/by-link"
expect_ok inside "$bare" by-link images
mv "$bare/opt/slipway" "$bare/opt/with space"
expect_ok inside "$bare" env LD_PRELOAD=/nowhere.so LD_LIBRARY_PATH=/tmp "/opt/with space/bin/slipway" run --rm box:7 echo moved
assert_equal "from a folder that has moved" moved "$out"
mv "$bare/opt/with space" "$bare/opt/a:b"
expect_error 125 "a \`:\`" inside "$bare" "/opt/a:b/bin/slipway" --version
mv "$bare/opt/a:b" "$bare/opt/slipway"
chmod 644 "$bare/opt/slipway/loader/slipway"
expect_error 125 "/opt/slipway/loader/slipway" inside "$bare" slipway --version
chmod 755 "$bare/opt/slipway/loader/slipway"

# Without the right to make namespaces: one clear word, before anything else.
if command -v setpriv >/dev/null; then
  without=(setpriv --bounding-set -sys_admin --inh-caps -sys_admin)
  out "${without[@]}" "$folder/bin/slipway" doctor --json
  assert_equal "doctor's status without CAP_SYS_ADMIN" 3 "$status"
  assert_contains "doctor without CAP_SYS_ADMIN" namespaces-denied "$out"
  expect_ok slipway load -i "$bare/tmp/box.tar"
  expect_error 125 "this root lacks CAP_SYS_ADMIN" "${without[@]}" "$folder/bin/slipway" run box:7 ls
  assert_equal "runs after a refusal" 1 "$(slipway ps -a | wc -l)"
fi

# Other C libraries than the carried one, in both directions.
fake=$SLIPWAY_BUILD/src/gpu/libslipway_fake_nvml.so
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | head -n 1)
others=0
for release in bullseye trixie; do
  other=$scratch/$release kept=$TEST_CACHE/dist-$release.tar
  if [ ! -e "$kept" ] && command -v mmdebstrap >/dev/null && [ -n "$mirror" ]; then
    mmdebstrap -q --variant=extract --include=base-files,libc-bin,dash,coreutils,ca-certificates,python3-minimal,libpython3-stdlib \
      --setup-hook='for n in bin sbin lib lib64; do mkdir -p "$1/usr/$n"; ln -s usr/$n "$1/$n"; done' \
      "$release" "$kept.part.tar" "$mirror" >"$scratch/err" 2>&1 && mv "$kept.part.tar" "$kept"
    rm -f "$kept.part.tar"
  fi
  [ -e "$kept" ] || { echo "note: no $release: mmdebstrap or its mirror is not there"; continue; }
  mkdir "$other" && tar -xf "$kept" -C "$other" --exclude='./dev/*' && make_root "$other"
  # A driver that nothing but this root's own loader cache finds.
  if [ -e "$fake" ]; then
    mkdir "$other/opt/driver" && cp "$fake" "$other/opt/driver/libnvidia-ml.so.1"
    # The fake is C++, which the real one is not.
    for name in libstdc++.so.6 libgcc_s.so.1; do
      cp "$(realpath "$(c++ -print-file-name=$name)")" "$other/opt/driver/$name"
    done
    printf '%s\n' 'driver 999.88.77' 'gpu name=Fake T4;uuid=GPU-2;minor=0;cc=7.5;memory=15' >"$other/opt/driver/fake_nvml.conf"
    echo /opt/driver >"$other/etc/ld.so.conf.d/driver.conf"
  fi
  chroot "$other" /sbin/ldconfig || fail "ldconfig of $release"
  if [ -e "$fake" ]; then
    expect_ok inside "$other" slipway gpu list
    assert_contains "the GPU on $release" "Fake T4" "$out"
  fi
  expect_ok inside "$other" slipway capture --python python3 --name own:1
  question='import os, ssl, sys; print(sys.version, os.confstr("CS_GNU_LIBC_VERSION"), ssl.OPENSSL_VERSION)'
  expect_ok inside "$other" python3 -c "$question"
  expected=$out
  expect_ok inside "$other" slipway run --rm own:1 python3 -c "$question"
  assert_equal "Python of $release, captured" "$expected" "$out"
  assert_lacks "another C library" "$(getconf GNU_LIBC_VERSION)" "$out"
  others=$((others + 1))
done
[ "$others" -gt 0 ] || echo "note: only the bare root was tried"
echo ok
