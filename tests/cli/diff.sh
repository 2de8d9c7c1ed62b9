#!/bin/bash
# `slipway diff`: what it says of two images is what two unpacked trees show, whiteouts, opaque
# folders and hard links included; images of the store and of files; nothing is left in the store
# under a name.
. "$(dirname "$0")/common.sh"
make() { python3 "$top/tests/cli/make_layout.py" "$@" >digest || fail "no image"; }
site=opt/venv/lib/python3.11/site-packages

# package LAYER NAME VERSION FILE...
package() {
  local place=$1/$site/$2-$3.dist-info name=$2 folder=$1/$site
  mkdir -p "$place"
  printf 'Name: %s\nVersion: %s\n' "$2" "$3" >"$place/METADATA"
  shift 3
  {
    for file in "$@"; do echo "$file,,"; done
    echo "${place#"$folder"/}/METADATA,,"
    echo "${place#"$folder"/}/RECORD,,"
  } >"$place/RECORD"
}

mkdir -p base/etc base/old/deep base/data base/var/lib/dpkg/info base/usr/bin
echo root >base/etc/passwd
echo a >base/old/deep/a
echo gone >base/data/gone
echo twin >base/data/twin
ln base/data/twin base/data/twin2
printf 'Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n' >base/var/lib/dpkg/status
echo /bin/tool >base/var/lib/dpkg/info/tool.list
echo one >base/usr/bin/tool

package one numpy 1.0 numpy.py
echo old >one/$site/numpy.py
package two numpy 2.0 numpy.py
echo newer >two/$site/numpy.py
package two einops 0.8 einops.py
echo einops >two/$site/einops.py
mkdir -p two/data two/old two/etc two/usr/bin two/var/lib/dpkg
touch two/data/.wh.gone two/old/.wh..wh..opq
echo b >two/old/b
echo twin >two/data/twin # the same bytes, and no link any more
chmod 600 two/data/twin
echo edited >two/usr/bin/tool
sed s/1.0-1/1.0-2/ base/var/lib/dpkg/status >two/var/lib/dpkg/status
echo root >two/etc/passwd # the same file once more
make first '{"User": "1000", "Env": ["A=1", "B=2"], "Cmd": ["sh"]}' base one
make second '{"User": "1000", "Env": ["A=1", "B=3"], "Cmd": ["sh", "-c", "ls"]}' base two

expect_ok slipway diff ./first ./second
for line in "  + einops  0.8" "  ~ numpy   1.0 -> 2.0" "  ~ tool  1.0-1 -> 1.0-2" "  ~ command        sh -> sh -c ls" \
  "  ~ environment B  2 -> 3" "  - /data/gone   5 B" "  ~ /data/twin   5 B, mode 644 -> 600" \
  "  - /old/deep/a  2 B" "  + /old/b       2 B" "in 1 layer; 1 layer ("; do
  assert_contains "the page" "$line" "$out"
done
assert_lacks "the page" /etc/passwd "$out"
assert_lacks "the page" twin2 "$out"
assert_lacks "the page" dpkg/status "$out"

expect_ok slipway diff ./first ./second --json --files
[ "$(jq -c '[.schema, .differ, .shared.layers, .pull.layers]' <<<"$out")" = '[1,true,1,1]' ] || fail "$out"
assert_equal "the removed folder" '"folder"' "$(jq '.files[] | select(.path == "/old/deep") | .before.kind' <<<"$out")"
assert_equal "who owns the tool" '"tool"' "$(jq '.files[] | select(.path == "/usr/bin/tool") | .package' <<<"$out")"
expect_ok slipway diff ./first ./second --json
assert_equal "files unless asked for" null "$(jq .files <<<"$out")"

# The other way round, added and removed change places.
expect_ok slipway diff ./second ./first
assert_contains "backwards" "  - einops  0.8" "$out"
assert_contains "backwards" "  + /data/gone" "$out"

# Exit status, and one image under several names.
out slipway diff ./first ./second --exit-code
assert_equal "--exit-code where they differ" 1 "$status"
expect_ok slipway diff ./first ./first --exit-code
assert_contains "one image twice" "the same image" "$out"
tar -C first -cf first.tar .
expect_ok slipway load -i first
expect_ok slipway diff first:1 first.tar --exit-code
assert_contains "a layout and its image" "the same image" "$out"
# The same files in other layers.
mkdir flat && cp -a base/. flat/ && cp -a one/. flat/
make flattened '{"User": "1000", "Env": ["A=1", "B=2"], "Cmd": ["sh"]}' flat
expect_ok slipway diff first:1 ./flattened --exit-code
assert_contains "one layer or two" "no file and no setting differs" "$out"
# No layer has anything of Python or dpkg.
mkdir -p bare/x && echo 1 >bare/x/y
make bare1 '{}' bare
expect_ok slipway diff ./bare1 ./first
assert_contains "from nothing" "+ numpy  1.0" "$out"
expect_ok slipway diff ./first ./bare1
assert_contains "to nothing" "- numpy  1.0" "$out"
assert_equal "images in the store" "first:1" "$(slipway images --json | jq -r '.images[].reference')"

expect_error 1 'no image `frist:1`' slipway diff frist:1 first:1
assert_contains "the hint" 'first:1' "$err"
expect_error 1 'no image at `./nowhere`' slipway diff ./nowhere first:1
expect_error 2 "compares two images, not 1" slipway diff first:1
expect_error 2 "compares two images, not 3" slipway diff first:1 first:1 first:1

# Tens of thousands of files, and names of all kinds, are found and not listed.
mkdir -p many/deep
python3 - many/deep <<'PY'
import os, sys
folder = sys.argv[1].encode()
for i in range(30000):
    open(folder + b"/%d" % i, "w").close()
for name in (b"\xff\xfe", b"new\nline", b"esc\x1b[2J", b"quote\"", "ü".encode(), b"n" * 250):
    open(folder + b"/" + name, "w").close()
PY
make crowd '{}' base many
expect_ok slipway diff ./bare1 ./crowd
[ "$(wc -l <"$scratch/out")" -lt 40 ] || fail "30000 files fill the terminal"
expect_ok slipway diff ./bare1 ./crowd --files --json
[ "$(jq '.files | length' <"$scratch/out")" -gt 30005 ] || fail "files are missing"

# What another hand unpacks differs in the same paths.
need umoci
need_root
python3 - <<'PY'
import os, random
random.seed(11)
def fill(folder, depth, whiteouts):
    os.makedirs(folder, exist_ok=True)
    if whiteouts and random.random() < 0.15:
        open(folder + "/.wh..wh..opq", "w").close()
    for name in "abcde":
        kind, path = random.random(), folder + "/" + name
        if kind < 0.3:
            with open(path, "w") as file:
                file.write(random.choice(["x", "y", "long"]))
            os.chmod(path, random.choice([0o644, 0o755]))
        elif kind < 0.4:
            os.symlink(random.choice("ab"), path)
        elif kind < 0.75 and depth:
            fill(path, depth - 1, whiteouts)
        elif kind < 0.85 and whiteouts:
            open(folder + "/.wh." + name, "w").close()
for i in range(8):
    fill(f"random{i}", 3, i > 0)
PY
tree() { (cd "$1/rootfs" && find . -mindepth 1 \( -type f -printf '/%P %y %m ' -exec sha256sum {} \; \) -o -printf '/%P %y %m %l\n' | sed 's/  .*//' | sort); }
layers_a="random0 random1 random2 random3 random4 random5"
for layers_b in "random0 random2 random3 random6" "random0 random3 random1 random2 random7" "random1 random2 random3 random4 random5"; do
  rm -rf a b unpacked-a unpacked-b
  make a '{}' $layers_a
  make b '{}' $layers_b
  umoci unpack --image a:1 unpacked-a >"$scratch/err" 2>&1 && umoci unpack --image b:1 unpacked-b >"$scratch/err" 2>&1 || fail "umoci"
  tree unpacked-a >tree-a
  tree unpacked-b >tree-b
  comm -3 tree-a tree-b | sed 's/^\t//; s/ .*//' | sort -u >expected
  compared=$((${compared:-0} + $(wc -l <expected)))
  expect_ok slipway diff ./a ./b --files --json
  jq -r '.files[].path' <<<"$out" | sort -u >found
  diff expected found >difference || fail "umoci's trees differ elsewhere: $(head -20 difference)"
done
[ "$compared" -gt 20 ] || fail "nothing differs"
echo ok
