#!/bin/bash
# `slipway build` holds the image to its [target]: an extension without machine code for a GPU of it
# stops the build, though no metadata says so; without that GPU it passes.
. "$(dirname "$0")/index_common.sh"
sed -n "/^cat >make.py <<'PY'/,/^PY/p" "$top/tests/cli/check_wheels.sh" | sed '1d;$d' >make.py
python3 - <<PY || fail "no wheel"
import sys
sys.argv = ["make.py", "unused"]
exec(open("make.py").read().split("code = fat(")[0])
sys.argv = ["make_wheels.py", "$web/wheels"]
code = fat(entry(2, 80, 1, 7), entry(2, 90, 1, 7))
source = open("$top/tests/cli/make_wheels.py").read().split("def change(")[0]
exec(source)
wheel("kernels", [("kernels/_C.so", elf("_C.so", code))])
PY
more='[target]
gpu = ["a100", "v100"]
driver = ">=525"' image=check-build ask kernels
expect_ok slipway lock
expect_error 3 "the image would not run on its target" slipway build
assert_contains "the reason" "kernels 1.0 on v100: no kernel for compute capability 7.0: it has sm_80, sm_90" "$err"
assert_lacks "the GPU that is fine" "on a100" "$err"
expect_ok slipway build --no-check
more='[target]
gpu = ["a100"]
driver = ">=525"' image=check-build ask kernels
expect_ok slipway build
