#!/bin/bash
# time-out: 900
# `--compression zstd:chunked`, read by the code of others: Podman's own (containers/storage) takes
# every layer file by file and makes the very tar of it, stargz-snapshotter's finds each chunk; engines
# that know plain zstd alone take it whole. Layers of ours, and tars as many programs write them.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/go_common.sh"
. "$top/tests/system/lazy_common.sh"
. "$top/tests/system/registry_common.sh"
need_root
need go
need jq
need skopeo
need zstd
go_verifier estargz_verifier github.com/containerd/stargz-snapshotter/estargz@v0.18.1
by_stargz=$verifier
go_verifier podman_verifier go.podman.io/storage@v1.64.1
by_podman=$verifier
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache

make_lazy_image chunked

of_layout() { # LAYOUT: sets $layout, $manifest, $config and $layers
  layout=$1
  manifest=$layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$layout/index.json")
  config=$layout/blobs/sha256/$(jq -r '.config.digest[7:]' "$manifest")
  layers=$(jq '.layers | length' "$manifest")
}
blob_of() { echo "$layout/blobs/sha256/$(jq -r ".layers[$1].digest[7:]" "$manifest")"; }
diff_id_of() { jq -r ".rootfs.diff_ids[$1]" "$config"; }
annotations_of() { jq -c ".layers[$1].annotations // {}" "$manifest"; }
chunked_keys() { annotations_of "$1" | jq '[keys[] | select(startswith("io.github.containers.zstd-chunked."))] | length'; }
# The library gives links and folders no times.
list_tree() { # what an engine would see, but for the archive's own files
  (cd "$1" && find . -mindepth 1 ! -name .no.prefetch.landmark ! -name stargz.index.json \
    \( -type f -printf '%P %y %m %U:%G %T@ %s\n' -o -printf '%P %y %m %U:%G %l\n' \) | sort)
}
takes() { # NAME I STORE: Podman's code takes layer I; sets $fetched and $tree
  expect_ok timeout 300 "$by_podman" "$3" "$(blob_of "$2")" "$(annotations_of "$2")"
  read -r diff_id fetched tree <<<"$out"
  assert_equal "$1: the tar that Podman makes" "$(diff_id_of "$2")" "$diff_id"
}

expect_ok slipway save --compression zstd:chunked -o chunked/
expect_ok slipway save -o plain/
of_layout plain
plain_config=$(basename "$config")
of_layout chunked
assert_equal "the configuration" "$plain_config" "$(basename "$config")"
files=0
for i in $(seq 0 $((layers - 1))); do
  blob=$(blob_of "$i")
  assert_equal "the type of layer $i" application/vnd.oci.image.layer.v1.tar+zstd "$(jq -r ".layers[$i].mediaType" "$manifest")"
  assert_equal "eStargz's annotations of layer $i" 0 "$(annotations_of "$i" | grep -c stargz)"
  assert_equal "the tar of layer $i" "$(diff_id_of "$i")" "sha256:$(zstd -dcq "$blob" | sha256sum | cut -d' ' -f1)"
  takes "layer $i" "$i" podman
  ours=$SLIPWAY_HOME/layers/$(diff_id_of "$i" | cut -d: -f2)
  list_tree "$tree" >theirs.list && list_tree "$ours" >ours.list
  diff ours.list theirs.list >difference || fail "layer $i: Podman's tree is another: $(head -5 difference)"
  expect_ok "$by_stargz" "$blob" "$(annotations_of "$i" | jq -r '.["io.github.containers.zstd-chunked.manifest-checksum"]')"
  grep -vE '  (\.no\.prefetch\.landmark|stargz\.index\.json)$' <<<"$out" | sort >told
  (cd "$ours" && find . -type f -size +0 -links 1 -printf '%P\0' | sort -z | xargs -0r sha256sum --) | sort >single
  comm -13 told single >missing
  [ ! -s missing ] || fail "layer $i: not in the table: $(head -3 missing)"
  files=$((files + $(wc -l <told)))
done
[ $files -gt 5000 ] || fail "only $files files were looked at"

# What is changed on the way is noticed, so this test can fail: a file, the table, tar-split.
i=$(jq '.layers | map(.size) | index(min)' "$manifest")
blob=$(blob_of "$i")
IFS=: read -r table table_size _ < <(annotations_of "$i" | jq -r '.["io.github.containers.zstd-chunked.manifest-position"]')
IFS=: read -r split split_size _ < <(annotations_of "$i" | jq -r '.["io.github.containers.zstd-chunked.tarsplit-position"]')
read -r file file_end < <(tail -c +$((table + 1)) "$blob" | head -c "$table_size" | zstd -dcq |
  jq -r '[.entries[] | select(.size > 0)] | max_by(.size) | "\(.offset) \(.endOffset)"')
for part in file:$(((file + file_end) / 2)) table:$((table + table_size / 2)) tar-split:$((split + split_size / 2)); do
  python3 - "$blob" broken "${part#*:}" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[3])] ^= 0x40
open(sys.argv[2], "wb").write(data)
PY
  part=${part%:*}
  timeout 300 "$by_podman" "$scratch/broken-$part" broken "$(annotations_of "$i")" >/dev/null 2>&1 && fail "a changed $part went unnoticed"
done

# Whole, by those who know nothing of it.
expect_ok env SLIPWAY_HOME="$scratch/loaded" "$SLIPWAY" load -i chunked/
expect_ok env SLIPWAY_HOME="$scratch/loaded" "$SLIPWAY" run chunked:1 -- python hello.py
assert_equal "loaded again" "sum 10" "$out"
expect_ok env SLIPWAY_HOME="$scratch/loaded" "$SLIPWAY" inspect chunked:1 --json
assert_equal "loaded again: the configuration" "sha256:$plain_config" "$(jq -r .config_digest <<<"$out")"
# Asked for once more, or for plain zstd, it stays as it is; in gzip nothing tells of chunks.
expect_ok env SLIPWAY_HOME="$scratch/loaded" "$SLIPWAY" save chunked:1 --compression zstd:chunked -o again/
assert_equal "chunked twice" "$(jq -r '.manifests[0].digest' chunked/index.json)" "$(jq -r '.manifests[0].digest' again/index.json)"
expect_ok env SLIPWAY_HOME="$scratch/loaded" "$SLIPWAY" save chunked:1 --compression gzip -o gzip/
of_layout gzip
assert_equal "annotations of gzip layers" 0 "$(grep -c zstd-chunked "$manifest")"
rm -rf again gzip loaded
of_layout chunked
# skopeo unpacks the layers, each into a file that is named after its digest.
expect_ok skopeo copy -q --dest-decompress oci:chunked:1 dir:by-skopeo
while read -r diff_id; do
  [ "$(sha256sum <"by-skopeo/${diff_id#sha256:}" | cut -d' ' -f1)" = "${diff_id#sha256:}" ] || fail "skopeo unpacks no $diff_id"
done < <(jq -r '.rootfs.diff_ids[]' "$config")
rm -rf by-skopeo

# A registry: skopeo, Podman and slipway take it from there.
mapfile -t programs < <(find_registries)
if [ ${#programs[@]} -gt 0 ]; then
  start_registry chunked "${programs[-1]}"
  expect_ok slipway push --compression zstd:chunked chunked:1 "$registry/team/chunked:1"
  digest=$(jq -r '.manifests[0].digest' chunked/index.json)
  assert_contains "the push" "$digest" "$err"
  assert_contains "the push" "here it is $(jq -r '.manifests[0].digest' plain/index.json)" "$err"
  expect_ok slipway push --compression zstd:chunked chunked:1 "$registry/team/chunked:1"
  assert_contains "the second push" "is there already" "$err"
  assert_equal "skopeo sees" "$digest" "$(skopeo inspect --tls-verify=false "docker://$registry/team/chunked:1" | jq -r .Digest)"
  expect_ok env SLIPWAY_HOME="$scratch/pulled" "$SLIPWAY" pull "$registry/team/chunked:1"
  expect_ok env SLIPWAY_HOME="$scratch/pulled" "$SLIPWAY" run "$registry/team/chunked:1" -- python hello.py
  assert_equal "pulled" "sum 10" "$out"
  rm -rf pulled "$scratch/pulled"
  if command -v podman >/dev/null; then
    podman_run=$(mktemp -d /tmp/podman.XXXXXX)
    podman_() { podman --root "$scratch/podman-root" --runroot "$podman_run" --storage-driver vfs "$@"; }
    podman_ pull -q --tls-verify=false "$registry/team/chunked:1" >pulled 2>"$scratch/err" || fail "podman does not pull it: $(tail -2 "$scratch/err")"
    assert_equal "podman's image" "$plain_config" "$(cat pulled)"
    podman_ rmi -fa >/dev/null 2>&1
    rm -rf "$podman_run"
  fi
  stop_registries
fi
expect_error 2 "\`--compression lz4\` is not known" slipway push --compression lz4 chunked:1 localhost:1/x:1

# Tars of others. Those that a table cannot tell are plain zstd, and the user is told why.
export SLIPWAY_HOME=$scratch/foreign
python3 "$top/tests/system/foreign_layers.py" foreign-image >names || fail "no image"
python3 "$top/tests/system/foreign_layers.py" foreign-later changed >/dev/null || fail "no image"
for name in image later; do
  expect_ok slipway load -i foreign-$name --tag foreign:$name
  expect_ok slipway save foreign:$name --compression zstd:chunked -o foreign-$name-chunked/
done
assert_contains "the warnings" "has the path \`a\` twice" "$err"
assert_contains "the warnings" "has bytes behind its end" "$err"
of_layout foreign-image-chunked
while read -r name i; do
  assert_equal "$name: the tar" "$(diff_id_of "$i")" "sha256:$(zstd -dcq "$(blob_of "$i")" | sha256sum | cut -d' ' -f1)"
  case $name in
  twice | global | behind) assert_equal "$name: annotations" 0 "$(chunked_keys "$i")" ;;
  *) takes "$name" "$i" "podman-$name" ;;
  esac
done <names
# Of the changed layer, Podman asks for the table and for what is new.
of_layout foreign-later-chunked
takes "the changed layer" 0 podman-many
whole=$(stat -c %s "$(blob_of 0)")
[ "$fetched" -lt $((whole / 20)) ] || fail "of $whole bytes $fetched were fetched"
echo "ok: $layers foreign layers, $files files; of a changed layer $fetched of $whole bytes"
