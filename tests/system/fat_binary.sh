#!/bin/bash
# time-out: 900
# after: system/build_example
# The fat binary reader beside NVIDIA's own cuobjdump (a PyPI wheel): the same kinds and targets, as
# often, in every library with GPU code of the example's wheels.
. "$(dirname "$0")/../cli/common.sh"
need python3
files=$TEST_CACHE/cache/files
ls "$files"/*/torch-2.6.0-*.whl >/dev/null 2>&1 || skip "no torch 2.6.0 in the test cache: build_example brings it"
dump=$SLIPWAY_BUILD/src/gpu/slipway_dump_code
[ -x "$dump" ] || skip "no $dump"
oracle=$TEST_CACHE/cuobjdump
[ -x "$oracle/bin/python" ] || { python3 -m venv "$oracle.$$" &&
  "$oracle.$$/bin/pip" install -q nvidia-cuda-cuobjdump >/dev/null 2>&1 && mv -T "$oracle.$$" "$oracle"; } ||
  skip "cannot install nvidia-cuda-cuobjdump"
cuobjdump=$(find "$oracle" -name cuobjdump -type f | head -1)
[ -x "$cuobjdump" ] || skip "no cuobjdump in its wheel"

compared=0
for wheel in torch-2.6.0 nvidia_cudnn_cu12 nvidia_cusparselt nvidia_nccl torchvision-0.21.0 torchaudio-2.6.0 nvidia_cublas; do
  file=$(ls "$files"/*/$wheel*.whl 2>/dev/null | head -1)
  [ -n "$file" ] || continue
  rm -rf unpacked && mkdir unpacked
  python3 -c '
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
for n in z.namelist():
    if ".so" in n.rsplit("/", 1)[-1]: z.extract(n, "unpacked")' "$file"
  while read -r library; do
    # Of cuBLASLt it gives up half-way ("Invalid ELF"): nothing to compare with.
    "$cuobjdump" -lelf -lptx "$library" >raw 2>&1
    ! grep -q '^cuobjdump fatal' raw || continue
    sed -nE 's/.*\.(sm_[0-9]+[af]?)\.(cubin|ptx)$/\1 \2/p' raw | sort | uniq -c | awk '{print $1, $2, $3}' >theirs
    "$dump" "$library" | sort -k2 >ours || fail "cannot read $library"
    sort -k2 theirs >sorted
    diff sorted ours >difference || fail "$library differs from cuobjdump: $(cat difference)"
    [ ! -s ours ] || compared=$((compared + 1))
  done < <(find unpacked -type f)
done
[ "$compared" -ge 10 ] || fail "only $compared libraries with GPU code were compared"
echo "$compared libraries as cuobjdump says"
