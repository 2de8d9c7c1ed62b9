#!/bin/bash
# time-out: 600
# What the flags of run do, and what is said of those that cannot be had.
. "$(dirname "$0")/index_common.sh"
wheels good helper
own_store
more='[resources]
memory = "512g"
[modes.greet]
command = ["echo", "hello"]' ask good
expect_ok slipway build

# said EXPECTED RUN-WORDS...
said() {
  local expected=$1
  shift
  expect_ok slipway run "$@"
  assert_equal "\`run $*\`" "$expected" "$out"
}
# ends CODE RUN-WORDS...
ends() {
  local code=$1
  shift
  out slipway run "$@"
  [ "$status" -eq "$code" ] || fail "\`run $*\` ended with $status, not $code"
}
# The image's user and folder; statuses.
said "dev 1000 1000 /workspace" -- sh -c 'echo $(id -un) $(id -u) $(id -g) $(pwd)'
assert_contains "the ceiling of slipway.toml" "memory lowered from 512g to this machine's" "$err"
assert_lacks "sizes of memory" "GB" "$err"
ends 3 -- sh -c 'exit 3'
ends 137 -- sh -c 'kill -9 $$'
ends 127 -- no-such-program
assert_contains "what is missing" "no-such-program" "$err"
ends 126 -- /etc/passwd
assert_contains "what cannot be run" "/etc/passwd" "$err"
said "a b|c" -- printf '%s|%s' "a b" c
said "-v --" cli-test -- echo -v --
said "hello you" --mode greet -- you
# Environment, folder, user.
export FROM_HOST="of the host"
said "one of the host =" -e A=one -e FROM_HOST -e UNSET_ON_THE_HOST -- \
  sh -c 'echo $A $FROM_HOST =$UNSET_ON_THE_HOST'
said /tmp -w /tmp -- pwd
said "0 0" --user 0 -- sh -c 'echo $(id -u) $(id -g)'
said "1234 55" --user 1234:55 -- sh -c 'echo $(id -u) $(id -g)'
said root --user root -- id -un
said "" --network none -- sh -c 'tail -n +3 /proc/net/dev | grep -v lo:; true'
# Volumes: whose the files are, and read-only.
mkdir data
said "" -v ./data:/data -- touch /data/new
assert_equal "the owner of a new file" "$(id -u)" "$(stat -c %u data/new)"
expect_ok slipway run -v ./data:/data:ro -- sh -c '! touch /data/no 2>/dev/null'
assert_no_file data/no
# stdin and signals.
assert_equal "standard input" "to you" "$(echo to you | slipway run -i -- cat)"
if command -v script >/dev/null; then
  assert_contains "a terminal" "/dev/" \
    "$(script -qec "$SLIPWAY run -it -- tty" /dev/null </dev/null 2>&1 | tr -d '\r')"
fi

# refused CODE TEXT RUN-WORDS...
refused() {
  local code=$1 text=$2
  shift 2
  expect_error "$code" "$text" slipway run "$@"
}
refused 2 "--volume" -v data -- true
refused 2 "named volumes" -v data:/data -- true
refused 2 "absolute" -v ./data:data -- true
refused 125 "is not there to be mounted" -v ./nothing:/data -- true
refused 2 "--env" -e =x -- true
refused 2 "no user \`nobody-here\`" --user nobody-here -- true
refused 125 "memory of 9000g is more than" --memory 9000g -- true
refused 2 "is not a size" --memory much -- true
refused 125 "cpus of 4000" --cpus 4000 -- true
refused 2 "--network" --network nat -- true
refused 2 "--gpus" --gpus some -- true
refused 125 'no image `nowhere`' nowhere -- true
refused 125 'did you mean `cli-test:latest`' cli-tset -- true
refused 2 "no mode \`gret\`" --mode gret
refused 2 "needs a terminal" -t -- true
refused 2 "--volum" --volum ./data:/data -- true
[ -e /dev/nvidiactl ] || refused 125 "\`--gpus all\` cannot be had here" --gpus all -- true
said "" --gpus auto -- true
# Docker's other words.
printf '# a comment\nA=one two\nFROM_HOST\n\n' >variables
said "one two of the host three" --env-file variables -e B=three -- sh -c 'echo $A $FROM_HOST $B'
said "one two" --env-file variables -eC=1 -- sh -c 'echo $A'
refused 2 "line 1 of" --env-file <(echo "no variable=1") -- true
refused 125 "--env-file" --env-file nothing -- true
said "100 200" --ulimit nofile=100:200 -- sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)'
refused 2 "--ulimit" --ulimit files=1 -- true
refused 2 "--ulimit" --ulimit nofile=2:1 -- true
said "hello" --entrypoint echo cli-test hello
said "" --entrypoint "" cli-test true
said "tmpfs 1024" --tmpfs /scratch:size=1m -- sh -c 'echo $(df -T /scratch | tail -1 | awk "{print \$2, \$3}")'
refused 2 "--tmpfs" --tmpfs scratch -- true
refused 2 "lies in \`/proc\`" --tmpfs /proc/x -- true
said "c" --device /dev/full -- sh -c '[ -c /dev/full ] && echo c'
refused 2 "--device" --device /etc/passwd -- true
refused 125 "there is no CDI device" --device other.com/class=0 -- true
refused 2 "no kind of device" --device other.com=0 -- true
refused 2 "both choose GPUs" --gpus all --device nvidia.com/gpu=0 -- true
refused 125 "cannot use device" --device /dev/no-such-device -- true
said "1000 4 20" --group-add 4 --group-add 20 -- id -G
refused 2 "no group" --group-add no-such-group -- true
said "" --cidfile id -- true
[ "$(wc -c <id)" -eq 32 ] || fail "the file of the id holds $(cat id)"
refused 125 "id" --cidfile id -- true
refused 2 "\`-d\`" --restart always -- true
refused 2 "--restart" --restart sometimes -d -- true
refused 2 "no name for a run" --name a/b -- true
refused 2 "no signal" --stop-signal NOPE -- true
# Dangerous sources of volumes.
refused 2 "the whole machine" -v /:/host -- true
refused 2 "is the system's" -v /proc:/host -- true
refused 2 "is the system's" -v /sys/kernel:/host:ro -- true
refused 2 "Slipway's store" -v "$SLIPWAY_HOME/layers:/host" -- true
refused 2 "is the system's" -v ./data:/dev/x -- true
refused 2 "\`/\`" -v ./data:/ -- true
# What was open before is not open inside.
exec 7</etc/passwd 8</etc 9>/dev/null
said "0 1 2" -- sh -c 'sleep 9 & until grep -q sleep /proc/$!/comm; do :; done; echo $(ls /proc/$!/fd); kill $!'
