# Sourced: the tables of contents in an image's layers, read by stargz-snapshotter's own library.
#
#   check_tables LAYOUT [LAYER...]   every file of each layer (or of those with these numbers) of the
#                         layout's one image, which is in $SLIPWAY_HOME, lies where the layer's table
#                         says, with the digest that it says. Sets $manifest, $config, $layers and
#                         $files (how many were looked at).
. "$top/tests/system/go_common.sh"
go_verifier estargz_verifier github.com/containerd/stargz-snapshotter/estargz@v0.18.1

annotation() { jq -r ".layers[$1].annotations[\"$2\"]" "$manifest"; }
blob_of() { echo "$layout/blobs/sha256/$(jq -r ".layers[$1].digest[7:]" "$manifest")"; }

check_tables() {
  local i tree
  layout=$1
  manifest=$layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$layout/index.json")
  config=$layout/blobs/sha256/$(jq -r '.config.digest[7:]' "$manifest")
  layers=$(jq '.layers | length' "$manifest")
  files=0
  shift
  for i in ${*:-$(seq 0 $((layers - 1)))}; do
    expect_ok "$verifier" "$(blob_of "$i")" "$(annotation "$i" containerd.io/snapshot/stargz/toc.digest)"
    grep -v '  \.no\.prefetch\.landmark$' <<<"$out" >told
    assert_equal "the landmark of layer $i" 1 "$(grep -c '  \.no\.prefetch\.landmark$' <<<"$out")"
    tree=$SLIPWAY_HOME/layers/$(jq -r ".rootfs.diff_ids[$i][7:]" "$config")
    if [ -s told ]; then
      (cd "$tree" && sha256sum --quiet -c -) <told >wrong 2>&1 || fail "layer $i: not as the table says: $(head -3 wrong)"
    fi
    # Of a file with several names the table has the contents under one.
    cut -c67- told | sort >names
    (cd "$tree" && find . -type f -size +0 -printf '%P\n' | sort) >there
    gzip -dc "$(blob_of "$i")" | tar -tvf - | sed -n 's/^h.* \(.*\) link to .*/\1/p' | sort >twins
    comm -23 there twins | comm -23 - names >missing
    [ ! -s missing ] || fail "layer $i: not in the table: $(head -3 missing)"
    files=$((files + $(wc -l <told)))
    assert_equal "the size of layer $i" "$(gzip -dc "$(blob_of "$i")" | wc -c)" "$(annotation "$i" io.containers.estargz.uncompressed-size)"
  done
}
