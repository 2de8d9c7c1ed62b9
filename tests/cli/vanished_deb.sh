#!/bin/bash
# time-out: 600
# Replay: an archive that has dropped a version which a lock names. It is served by its hash from
# the cache, a bundle, or a snapshot; else the error says which file, and what can be done.
. "$(dirname "$0")/index_common.sh"
wheels rare
ask
sed -i 's/^debian = .*/&\napt = ["cowsay"]/' slipway.toml
expect_ok slipway lock
# Only cowsay is missing from the cache: the rest is of the base that is kept.
expect_ok slipway build
path=$(sed -n 's/^path = "\(.*cowsay.*\)"/\1/p' slipway.lock)
[ -n "$path" ] || fail "cowsay is not in the lock"
file=$(basename "$path")
cached=$(ls "$SLIPWAY_CACHE"/files/*/"$file")
hash=$(basename "$(dirname "$cached")")
cp "$cached" "$scratch/$file"
export SLIPWAY_CACHE=$scratch/cache SLIPWAY_HOME=$scratch/store
mkdir -p "$SLIPWAY_CACHE"
cp -r "$TEST_CACHE/cache-cli/files" "$SLIPWAY_CACHE"
mkdir -p "$web/static/debian"

forget() { rm -rf "$SLIPWAY_CACHE/files/$hash"; }
archive="[index.debian]
url = \"$index/debian\""
# Fetching is what is tested: the build may be stopped behind it.
fetch() {
  rm -f "$SLIPWAY_CACHE/files/$hash/$file"
  "$SLIPWAY" build --locked >"$scratch/out" 2>"$scratch/err" &
  local process=$!
  until [ -e "$SLIPWAY_CACHE/files/$hash/$file" ]; do
    kill -0 "$process" 2>/dev/null || break
    read -rt 0.05 <> <(:)
  done
  kill "$process" 2>/dev/null
  wait "$process"
  cmp -s "$scratch/$file" "$SLIPWAY_CACHE/files/$hash/$file" || fail "$1: the file did not come"
}

# In the cache: nobody is asked for it.
configure "$archive"
fetch_cached() {
  unshare -n "$SLIPWAY" build --locked >"$scratch/out" 2>"$scratch/err" &
  local process=$!
  until ls "$SLIPWAY_HOME"/tmp/*/var/lib/dpkg >/dev/null 2>&1; do
    kill -0 "$process" 2>/dev/null || fail "the build does not start with all of it in the cache"
    read -rt 0.05 <> <(:)
  done
  kill "$process"
  wait "$process"
}
if unshare -n true 2>/dev/null; then fetch_cached; fi

forget
expect_error 1 "$file" slipway build --locked
for hint in "slipway lock --upgrade cowsay" "[bundle] folders" "snapshot" "sha256:$hash"; do
  assert_contains "what is said of a file that is gone" "$hint" "$err"
done

mkdir -p "$scratch/bundle"
cp "$scratch/$file" "$scratch/bundle/"
configure "$archive" '[bundle]' "folders = [\"$scratch/bundle\"]"
fetch "bundle, by its name"
forget
mv "$scratch/bundle/$file" "$scratch/bundle/$hash"
fetch "bundle, by its hash"
forget
# Another file of that name is not taken.
echo other >"$scratch/bundle/$file"
rm "$scratch/bundle/$hash"
expect_error 1 "$file" slipway build --locked

forget
mkdir -p "$web/static/old/$(dirname "$path")"
cp "$scratch/$file" "$web/static/old/$path"
configure "$archive" "snapshot = [\"$index/nothing\", \"$index/old\"]"
fetch "snapshot"

# A wheel that its index has dropped is served the same way.
configure
SLIPWAY_HOME=$TEST_CACHE/store-cli
own_store
ask rare
expect_ok slipway lock
rm -rf "$SLIPWAY_CACHE"/files/*/rare-* "$SLIPWAY_CACHE/index"
mv "$web"/wheels/rare-* "$scratch/bundle/"
expect_error 1 "rare-1.0-py3-none-any.whl" slipway build --locked
configure '[bundle]' "folders = [\"$scratch/bundle\"]"
expect_ok slipway build --locked
