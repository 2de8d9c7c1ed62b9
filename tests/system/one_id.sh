#!/bin/bash
# A user without subordinate ids: images come, run, and are looked into, with one user inside.
. "$(dirname "$0")/../cli/common.sh"
need_root
need busybox
need crun
name=slipway-one
id $name >/dev/null 2>&1 || useradd --no-create-home $name || skip "no user can be made"
trap 'userdel $name 2>/dev/null; at_end' EXIT
# useradd may have given some.
sed -i "/^$name:/d" /etc/subuid /etc/subgid
uid=$(id -u $name) gid=$(id -g $name)
python3 "$top/tests/cli/make_image.py" image >/dev/null || fail "no image"
mkdir "$scratch/home"
cp "$SLIPWAY" "$scratch/slipway"
chown -R $name: "$scratch" && chmod 755 "$scratch"
one() {
  (cd "$scratch" && timeout 60 setpriv --reuid $name --regid $name --init-groups --reset-env env PATH="$PATH" \
    HOME="$scratch/home" SLIPWAY_HOME="$scratch/store" NO_COLOR=1 TERM=dumb "$@")
}
sw() { one "$scratch/slipway" "$@"; }

expect_ok sw load -i "$PWD/image.tar"
assert_contains "what it says" "you have no subordinate ids" "$err"
assert_equal "others than the user own something in the store" "" \
  "$(find "$scratch/store" ! -user $name | head -n 3)"

# Whoever the image or --user names is the caller.
for who in 0:0 1000:1001 70000:70000; do
  expect_ok sw run --rm --user $who -v "$scratch/home:/home" image:7 sh -c \
    'id; echo $(stat -c %u:%g /data/kept /home); echo x >/data/kept && cat /data/kept; touch /home/$$; ls /old; [ ! -e /data/gone ]'
  assert_contains "$who: who it is" "uid=${who%:*}" "$out"
  assert_contains "$who: whose the files are" "$who $who" "$out"
  assert_contains "$who: layers" "$(printf 'x\nnew')" "$out"
  assert_equal "$who: what it says" "" "$(grep -v '^merging' <<<"$err")"
done
assert_equal "whose is what was written outside" "$uid:$gid" "$(stat -c %u:%g "$scratch"/home/* | sort -u)"

# As planned, by what the kernel says.
for who in 0:0 1000:1001; do
  expect_ok sw run --rm --verify --user $who image:7 sh -c 'echo in'
  assert_contains "$who: verified" "verified: users, capabilities, no_new_privs, seccomp" "$err"
  assert_equal "$who: then it ran" "in" "$out"
done
expect_ok sw run --rm --user 1000:1001 image:7 cat /proc/self/status
for line in 'CapPrm:.0000000000000000' 'CapBnd:.0000000000000000' 'NoNewPrivs:.1' 'Seccomp:.2'; do
  grep -q "$line" <<<"$out" || fail "status: no $line in $out"
done
out sw run --rm --user 1000:1001 image:7 sh -c 'cat /proc/1/root/etc/shadow; echo $?; exit 5'
assert_equal "its status" 5 "$status"
expect_ok sw run --rm --read-only --network none --user 1000:1001 --tmpfs /x image:7 sh -c 'touch /x/b; ls /sys/class/net; touch /y || echo no'
assert_equal "read-only, no network" "$(printf 'lo\nno')" "$out"
if command -v script >/dev/null; then
  assert_contains "a terminal" "tty" "$(one script -qec "$scratch/slipway run --rm -it --user 1000:1001 image:7 sh -c 'test -t 0 && echo tty'" /dev/null)"
fi

# One that has ended, once more.
expect_ok sw run --name ended --user 1000:1001 image:7 sh -c 'id -u; echo x >>/data/lives; wc -l </data/lives'
expect_ok sw start -a ended
assert_equal "its second life" "$(printf '1000\n2')" "$out"
expect_ok sw rm --discard ended

# A run that lives.
expect_ok sw run -d --name lives --user 1000:1001 image:7 sleep 60
expect_ok sw exec lives sh -c 'id; grep -E "CapBnd|NoNew|Seccomp:" /proc/self/status; echo 1 >/data/by-exec; stat -c %u /data/by-exec'
for line in 'uid=1000' 'CapBnd:.0000000000000000' 'NoNewPrivs:.1' 'Seccomp:.2' '^1000$'; do
  grep -q "$line" <<<"$out" || fail "exec: no $line in $out"
done
out sw exec --user 0 lives id
[ "$status" -ne 0 ] || fail "exec as another user is content"
assert_contains "exec as another user" 'there is one user in `lives`: 1000:1001' "$err"
expect_ok sw stop -t 1 lives
out sw rm lives
assert_contains "what rm would lose" "/data/by-exec" "$err"
expect_ok sw rm --discard lives

# What one id cannot do is said, and nothing else is tried.
out sw run --rm --group-add 7 image:7 id
assert_equal "a group" 125 "$status"
assert_contains "a group" "the group 7 cannot be had here" "$err"
runc=$(PATH=$PATH:/usr/sbin command -v runc) && {
  mkdir "$scratch/runc-only" && ln -s "$runc" "$scratch/runc-only/runc"
  out env PATH="$scratch/runc-only" /usr/bin/setpriv --reuid $name --regid $name --init-groups \
    /usr/bin/env HOME="$scratch/home" SLIPWAY_HOME="$scratch/store" "$scratch/slipway" run --rm --user 7 image:7 id
  assert_equal "runc alone" 125 "$status"
  assert_contains "runc alone" "crun" "$err"
}

# With ids again, what is there still runs.
printf '%s:3200000:65536\n' $name >>/etc/subuid
printf '%s:3200000:65536\n' $name >>/etc/subgid
if command -v newuidmap >/dev/null; then
  expect_ok sw run --rm --user 1000:1001 image:7 sh -c 'id -u; [ -r /data/kept ] && echo readable'
  assert_equal "after ids were given" "$(printf '1000\nreadable')" "$out"
fi
sed -i "/^$name:/d" /etc/subuid /etc/subgid
expect_ok sw gc --all
assert_equal "left" "" "$(ls "$scratch/store/layers")"
echo ok
