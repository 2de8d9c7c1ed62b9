#!/bin/bash
# time-out: 300
# Indexes beside the machine's own: which package may come from where, who may ask, and the builds
# of torch for each CUDA.
. "$(dirname "$0")/index_common.sh"
export SLIPWAY_CACHE=$scratch/cache
mkdir -p "$SLIPWAY_CACHE"
[ ! -d "$TEST_CACHE/cache-cli/debian" ] || cp -r "$TEST_CACHE/cache-cli/debian" "$SLIPWAY_CACHE"

# wheels_of INDEX NAME==VERSION...
wheels_of() {
  mkdir -p "$web/indexes/$1"
  python3 "$top/tests/cli/make_wheels.py" "$web/indexes/$1" "${@:2}" || fail "no wheels"
}
# locked NAME: its version and index
locked() { awk -v n="\"$1\"" '/^\[/ { hit = 0 } $1 == "name" && $3 == n { hit = 1 }
                              hit && ($1 == "version" || $1 == "index") { print $3 }' slipway.lock | tr -d '"' | xargs; }

# A package that is bound to an index is taken from nowhere else, whatever is offered there.
wheels good helper corp-tools==99.0
wheels_of corp corp-tools==1.0
more="[[python.index]]
name = \"corp\"
url = \"$index/corp\"
packages = [\"corp-*\"]" ask good corp-tools
expect_ok slipway lock
assert_equal "the bound package" "1.0 corp" "$(locked corp-tools)"
assert_equal "others" "2.0 pypi" "$(locked helper)"
grep -q "^/simple/corp-tools" "$web/requests" && fail "the other index was asked for corp-tools"
grep -q "127.0.0.1" slipway.lock && fail "the lock names a host"
expect_ok slipway build --json
expect_ok slipway run -- python -c 'import importlib.metadata as m; print(m.version("corp-tools"))'
assert_equal "the installed one" 1.0 "$out"
rm -rf "$web/indexes/corp/"* "$SLIPWAY_CACHE/index" slipway.lock
expect_error 3 'there is no package `corp-tools` at `corp`' slipway lock

# Without a binding: the first index that has the package, and no mixture of two.
wheels_of corp helper==0.5 corp-tools==1.0
more="[[python.index]]
name = \"corp\"
url = \"$index/corp\"" ask helper rare
wheels rare
expect_ok slipway lock
assert_equal "of the first index" "0.5 corp" "$(locked helper)"
assert_equal "of the second" "1.0 pypi" "$(locked rare)"

# Who may ask: from the environment, or from ~/.netrc; never from slipway.toml.
echo "/corp me:secret" >"$web/passwords"
rm -rf "$SLIPWAY_CACHE/index" slipway.lock
expect_error 1 "127.0.0.1:$port/corp/" slipway lock
export SLIPWAY_INDEX_CORP_USERNAME=me SLIPWAY_INDEX_CORP_PASSWORD=wrong
expect_error 1 "127.0.0.1:$port/corp/" slipway lock
assert_lacks "the error" wrong "$err"
SLIPWAY_INDEX_CORP_PASSWORD=secret expect_ok slipway lock
assert_lacks "the lock" secret "$(cat slipway.lock)"
unset SLIPWAY_INDEX_CORP_USERNAME SLIPWAY_INDEX_CORP_PASSWORD
rm -rf "$SLIPWAY_CACHE/index" slipway.lock
printf 'machine 127.0.0.1 login me password secret\n' >"$scratch/netrc"
NETRC=$scratch/netrc expect_ok slipway lock
more="[[python.index]]
name = \"corp\"
url = \"http://me:secret@127.0.0.1:$port/corp\"" ask helper
expect_error 2 "does not belong into a file that is shared" slipway lock
more='[[python.index]]
name = "corp"' ask helper
expect_error 2 'nothing says where the index `corp` is' slipway lock
rm "$web/passwords"

# The builds for each CUDA: by the target, without a word about indexes in slipway.toml.
wheels torch==2.6.0
for build in cu118 cu126 cpu; do
  wheels_of pytorch/$build torch==2.6.0+$build torch==2.7.1+$build torchvision==0.22.1+$build:torch==2.7.1
done
wheels_of pytorch/cu118 helper==9.9
configure '[index.pytorch]' "url = \"$index/pytorch\""
rm -rf "$SLIPWAY_CACHE/index"
more='[target]
gpu = ["a100"]
driver = ">=470"' ask torch torchvision helper
expect_ok slipway lock
assert_equal "torch" "2.7.1+cu118 pytorch-cu118" "$(locked torch)"
assert_equal "torchvision" "0.22.1+cu118 pytorch-cu118" "$(locked torchvision)"
assert_equal "what else that index has" "2.0 pypi" "$(locked helper)"
expect_ok slipway why cuda
assert_contains "why" "torch 2.7.1+cu118" "$out"
assert_contains "the driver" "450.80.02" "$out"
expect_ok slipway tree --json
assert_equal "the tree" "pytorch-cu118" "$(jq -r '.packages[] | select(.name == "torch").source' <<<"$out")"
expect_ok slipway build --json
assert_equal "the same build elsewhere" "2.6.0 pypi" \
  "$(more='[target]
driver = ">=525"' ask torch==2.6.0; slipway lock 2>/dev/null; locked torch)"
more='[target]
gpu = ["b200"]
driver = ">=570"' ask torch
expect_error 3 "the b200 of slipway.toml has compute capability 10.0" slipway lock
faults "500 /pytorch/cu126/"
rm -rf "$SLIPWAY_CACHE/index"
expect_error 4 "127.0.0.1:$port/pytorch/cu126/" slipway lock
faults

# A C library that is too old for every wheel of a version.
cp "$web/wheels/rare-1.0-py3-none-any.whl" "$web/wheels/newer-1.0-py3-none-manylinux_2_39_x86_64.whl"
ask newer
expect_error 3 "newer 1.0 needs glibc 2.39 or newer" slipway lock
assert_contains "the target" "the target has glibc 2.36" "$err"
