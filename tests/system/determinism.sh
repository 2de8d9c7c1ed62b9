#!/bin/bash
# time-out: 900
# Neither time, machine, user nor chance reach the bytes: cold builds of one lock under conditions that
# differ in all of these give one digest, and the same trees. All conditions are tried together, in two
# builds beside a plain one; where one of them differs, its conditions are tried one by one, so that the
# culprit has a name. `bash tests/system/determinism.sh CONDITION...` tries just these.
. "$(dirname "$0")/../cli/common.sh"
need_root
need setpriv
need gcc
need taskset
user=slipway-test
getent passwd $user >/dev/null || useradd --create-home $user || skip "cannot add a user"
grep -q "^$user:" /etc/subuid || usermod --add-subuids 165536-231071 --add-subgids 165536-231071 $user
chmod 755 "$scratch"
gcc -shared -fPIC -O1 -o "$scratch/shake.so" "$top/tests/system/shake.c" -ldl || fail "shake.c"
export TURKISH=$scratch/locales
mkdir -p "$TURKISH"
localedef -i tr_TR -f ISO-8859-9 "$TURKISH/tr_TR" >/dev/null 2>&1 || rm -rf "$TURKISH"

# A real environment: headers (greenlet), scripts (jmespath), data (jupyterlab-widgets), bytecode.
export SLIPWAY_CACHE=$TEST_CACHE/cache
project <<'TOML'
[image]
name = "steady"
tag = "1"
[base]
debian = "bookworm"
apt = ["tmux"]
[python]
version = "3.11"
packages = ["greenlet==3.1.1", "jmespath==1.0.1", "jupyterlab-widgets==3.0.13", "mpmath==1.3.0"]
[project]
copy = ["src", "train.py", "tool"]
TOML
mkdir -p src/inner
for name in zeta alpha İnci B b _ 10 9; do echo "name = '$name'" >"src/$name.py"; done
cp src/*.py src/inner
ln -s ../train.py src/link.py
echo 'print("training")' >train.py
printf '#!/bin/sh\necho tool\n' >tool
chmod 644 train.py src/*.py src/inner/*
chmod 755 tool src src/inner
out slipway lock
[ "$status" -ne 4 ] || skip "the indexes do not answer"
[ "$status" -eq 0 ] || fail "slipway lock"
# under NAME CONDITION...: a cold build under these; $digest, and what lies in the trees in NAME.trees
under() {
  local name=$1 place=$scratch/place-$1 store= who= mask=022 order= wrap=() with=()
  shift
  mkdir -p "$place/cache" "$place/home" "$place/config"
  # The plain build brings what is missing into the tests' cache; the others get copies.
  if [ -d files ]; then cp -r --reflink=auto files "$place/cache/files"; else
    mkdir -p "$SLIPWAY_CACHE/files" && ln -s "$SLIPWAY_CACHE/files" "$place/cache/files"
  fi
  mkdir "$place/project"
  cp slipway.toml slipway.lock "$place/project"
  cp -dR --preserve=mode src train.py tool "$place/project"
  for condition in "$@"; do
    case $condition in
    another-user) who=$user ;;
    umask-*) mask=${condition#umask-} ;;
    zone) with+=(TZ=Pacific/Kiritimati) ;;
    other-zone) with+=(TZ=America/St_Johns) ;;
    locale) [ ! -d "$TURKISH" ] || with+=(LOCPATH="$TURKISH" LANG=tr_TR LC_ALL=tr_TR) ;;
    other-locale) with+=(LANG=nowhere LC_CTYPE=POSIX LC_COLLATE=C.UTF-8 LANGUAGE=de) ;;
    hostname) wrap+=(unshare -u sh -c 'hostname other.example && exec "$@"' -) ;;
    clock-ahead) with+=(SHAKE_SECONDS=93600000) ;;
    clock-behind) with+=(SHAKE_SECONDS=-93600000) ;;
    epoch) with+=(SOURCE_DATE_EPOCH=1234567890 FORCE_SOURCE_DATE=1) ;;
    kernel) with+=(SHAKE_KERNEL=4.19.0-odd) ;;
    folder-order) with+=(SHAKE_ORDER=11) ;;
    other-folder-order) with+=(SHAKE_ORDER=2718281) ;;
    one-core) wrap+=(taskset -c "$(taskset -pc $$ | sed 's/.*: *//; s/[-,].*//')") ;;
    no-aslr) wrap+=(setarch -R) ;;
    python) with+=(PYTHONHASHSEED=7 PYTHONDONTWRITEBYTECODE=1 PYTHONOPTIMIZE=2 PYTHONPATH=/tmp) ;;
    tmpfs)
      [ "$(stat -fc %T /dev/shm)" != tmpfs ] || { store=$(mktemp -d /dev/shm/slipway-test.XXXXXX) && ramdisk=$store; }
      ;;
    long-paths) store="$place/a folder/with blanks, and ünicode/$(printf 'long%.0s' {1..30})" ;;
    project-copy)
      # Another order of making, other times, and modes that differ in everything but the x bit.
      rm -r "$place/project/src" && mkdir -p "$place/project/src/inner"
      cp -d src/link.py "$place/project/src"
      for file in $(ls -r src/inner); do cp "src/inner/$file" "$place/project/src/inner"; done
      for file in $(ls -r src | grep py); do [ -L "src/$file" ] || cp "src/$file" "$place/project/src"; done
      mkdir "$place/project/src/__pycache__" && touch "$place/project/src/__pycache__/x.pyc"
      find "$place/project" -type f -exec touch -d '2001-02-03 04:05' {} + -exec chmod 600 {} +
      find "$place/project" -type d -exec chmod 700 {} +
      chmod 711 "$place/project/tool"
      ;;
    *) fail "no condition $condition" ;;
    esac
  done
  store=${store:-$place/store}
  mkdir -p "$store"
  if [ -n "$who" ]; then
    # In a folder that the user reaches, and may write to.
    chown -R $who: "$place" "$store"
    wrap+=(setpriv --reuid $who --regid $who --init-groups)
  fi
  cp "$SLIPWAY" "$place/slipway" && chmod 755 "$place/slipway"
  ! printf '%s\n' "${with[@]}" | grep -q ^SHAKE_ || with+=(LD_PRELOAD="$scratch/shake.so")
  (
    umask "$mask"
    cd "$place/project" &&
      "${wrap[@]}" env -i PATH="$PATH" HOME="$place/home" SLIPWAY_HOME="$store" SLIPWAY_CACHE="$place/cache" \
        XDG_CONFIG_HOME="$place/config" NO_COLOR=1 "${with[@]}" "$place/slipway" build --locked --json
  ) >"$scratch/out" 2>"$scratch/err" || fail "the build under: $*"
  digest=$(jq -r .digest "$scratch/out")
  jq -r '.layers[] | .diff_id + " " + (.packages | join(","))' "$scratch/out" >"$name.layers"
  # Where ids are another range's, only which are the same can be compared: left to the tar.
  (cd "$store/layers" && find . -mindepth 2 -printf '%P %y %m %s %l %T@\n' | grep -v ' d [0-9]* [0-9]* ' | sort;
    find . -mindepth 1 -type d -printf '%P %m\n' | sort) >"$name.trees"
  rm -rf "$place" "$store"
  ramdisk=
}
ramdisk=
trap '[ -z "$ramdisk" ] || rm -rf "$ramdisk"; at_end' EXIT

# same NAME: whether what was built is what the plain build gave
same() {
  [ "$digest" = "$plain" ] && cmp -s plain.trees "$1.trees"
}
difference() {
  diff plain.layers "$1.layers" | sed -n 's/^> sha256:[0-9a-f]* /    another layer: /p' | cut -c 1-100
  [ "$digest" != "$plain" ] || diff plain.trees "$1.trees" | head -n 4 | sed 's/^/    /'
}

under plain
plain=$digest
mkdir files
for file in $(sed -n 's/^sha256 = "\(.*\)"/\1/p' slipway.lock); do
  cp -r --reflink=auto "$SLIPWAY_CACHE/files/$file" files || fail "a file of the lock is not in the cache"
done
if [ $# -gt 0 ]; then
  under asked "$@"
  same asked || fail "another image under: $*
$(difference asked)"
  exit 0
fi
as_root=(umask-000 zone locale hostname clock-ahead epoch kernel folder-order one-core tmpfs project-copy python)
as_user=(another-user umask-077 other-zone other-locale hostname clock-behind other-folder-order no-aslr long-paths)
culprits=
for mix in as_root as_user; do
  declare -n conditions=$mix
  under $mix "${conditions[@]}"
  if same $mix; then
    printf 'ok    %s\n' "${conditions[@]}"
    continue
  fi
  found=
  for condition in "${conditions[@]}"; do
    under "$condition" "$condition"
    if same "$condition"; then
      echo "ok    $condition"
    else
      echo "FAIL  $condition"
      difference "$condition"
      found="$found $condition"
    fi
  done
  culprits="$culprits${found:- [$mix, only together]}"
done
[ -z "$culprits" ] || fail "what is built depends on:$culprits"
