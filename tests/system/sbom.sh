#!/bin/bash
# time-out: 900
# `slipway sbom`: other people's validators take both formats, and what they list is what pip and dpkg
# list inside; of images built here, loaded, and made on purpose to mislead.
. "$(dirname "$0")/../cli/common.sh"
need_root

# Validators, at pinned versions, in a virtual environment that stays.
validators=$TEST_CACHE/sbom-validators-1
if [ ! -e "$validators" ]; then
  rm -rf "$validators.part"
  python3 -m venv --copies "$validators.part" >/dev/null 2>&1 || skip "python3 makes no virtual environment"
  "$validators.part/bin/python" -m pip install -q --disable-pip-version-check spdx-tools==0.8.3 \
    'cyclonedx-python-lib[json-validation]==11.12.0' packageurl-python==0.17.6 license-expression==30.4.4 \
    >"$scratch/err" 2>&1 || skip "no validators: spdx-tools, cyclonedx-python-lib"
  mv -T "$validators.part" "$validators"
fi
# check IMAGE PIP DPKG: both formats, against what was listed inside
check() {
  expect_ok slipway sbom "$1" -o spdx.json
  expect_ok slipway sbom "$1" --format cyclonedx -o cyclonedx.json
  "$validators/bin/python" "$top/tests/system/sbom_check.py" spdx.json cyclonedx.json "$2" "$3" >said 2>&1 ||
    fail "$1: $(head -40 said)"
  tail -1 said
}

# An image of real wheels and real Debian packages.
(
  export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
  project <<'TOML'
[image]
name = "sbom"
tag = "1"
[python]
packages = ["numpy", "jupyter-core", "pip", "setuptools", "scikit-learn"]
TOML
  expect_ok slipway lock
  expect_ok slipway build
  slipway run --rm sbom:1 python -m pip inspect >pip.json 2>/dev/null || fail "pip inspect"
  slipway run --rm sbom:1 dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' >dpkg.txt || fail "dpkg-query"
  check sbom:1 pip.json dpkg.txt
  packages=$(jq '.packages | length - 1' spdx.json)
  assert_equal "packages with the digest of their file" "$packages" "$(jq '[.packages[] | select(.packageFileName)] | length' spdx.json)"
  numpy=$(sed -n '/^name = "numpy"/,/^sha256/s/^sha256 = "\(.*\)"/\1/p' slipway.lock)
  assert_equal "numpy's wheel" "${numpy#sha256:}" "$(jq -r '.packages[] | select(.name == "numpy") | .checksums[0].checksumValue' spdx.json)"
  libc=$(sed -n '/^name = "libc6"/,/^sha256/s/^sha256 = "\(.*\)"/\1/p' slipway.lock)
  assert_equal "libc6's package" "${libc#sha256:}" "$(jq -r '.packages[] | select(.name == "libc6") | .checksums[0].checksumValue' spdx.json)"
  cp spdx.json first.json
  sleep 1.1
  TZ=Asia/Kathmandu slipway sbom sbom:1 -o spdx.json 2>/dev/null
  cmp first.json spdx.json || fail "another time, other bytes"
  expect_ok slipway save -o "$scratch/saved.tar"
) || exit 1

# The same image as an archive, in a store that knows nothing of its lock: where slipway.lock is at
# hand, and where it is not.
check "$scratch/saved.tar" pip.json dpkg.txt
[ "$(jq '[.packages[1:][] | select(.checksums)] | length' spdx.json)" -gt 100 ] || fail "the lock at hand is not read"
sed -i '0,/^size = /s/^size = .*/size = 1/' slipway.lock
expect_ok slipway sbom "$scratch/saved.tar"
assert_equal "a lock of another digest" 0 "$(jq '[.packages[1:][] | select(.checksums)] | length' <<<"$out")"
mkdir "$scratch/elsewhere" && cp pip.json dpkg.txt "$scratch/elsewhere" && cd "$scratch/elsewhere" || exit 1
check "$scratch/saved.tar" pip.json dpkg.txt
assert_equal "digests of files that nothing tells" 0 "$(jq '[.packages[1:][] | select(.checksums)] | length' spdx.json)"

# This machine as an image: hundreds of Debian packages of all sorts, and Python's old egg-infos.
if command -v dpkg-query >/dev/null && [ -d /usr/lib/python3/dist-packages ]; then
  mkdir machine
  (cd / && find usr/lib/python3/dist-packages -maxdepth 1 -name '*-info' -print0 | tar -c --null -T - \
    var/lib/dpkg/status etc/os-release usr/lib/os-release usr/share/doc 2>/dev/null) | tar -x -C machine --no-same-owner
  dpkg-query -W -f '${db:Status-Status} ${Package} ${Version} ${Architecture}\n' | sed -n 's/^installed //p' >dpkg-here.txt
  python3 - <<'PY' >pip-here.json
import importlib.metadata, json
found = importlib.metadata.distributions(path=["/usr/lib/python3/dist-packages"])
print(json.dumps({"installed": [{"metadata": {"name": d.metadata["Name"], "version": d.version, "license": "?"}} for d in found]}))
PY
  rm -rf foreign && python3 "$top/tests/cli/make_layout.py" foreign '{}' machine >/dev/null || fail "no image"
  check ./foreign pip-here.json dpkg-here.txt
fi

# One that somebody made to mislead.
site=layer/opt/app/lib/python3.11/site-packages
pack() { mkdir -p "$site/$1" && cat >"$site/$1/METADATA"; }
pack good-1.0.dist-info <<<$'Metadata-Version: 2.1\nName: Good.Package\nVersion: 1.0+local.1\nLicense: MIT\nRequires-Dist: other\nHome-page: UNKNOWN\nSummary: a\x1b[2J"b'
pack other-2.dist-info <<<$'Metadata-Version: 2.4\nName: other\nVersion: 2\nLicense-Expression: MIT AND (Apache-2.0 OR BSD-2-Clause)'
mkdir -p layer/var/lib layer/etc
expected='[{"metadata": {"name": "good-package", "version": "1.0+local.1"}}, {"metadata": {"name": "other", "version": "2"}}'
echo "{\"installed\": $expected]}" >pip.json
: >none
make() { rm -rf hostile && python3 "$top/tests/cli/make_layout.py" hostile '{}' "$@" >/dev/null || fail "no image"; }
make layer
expect_ok slipway sbom ./hostile
assert_equal "created" 2024-05-06T07:08:09Z "$(jq -r .creationInfo.created <<<"$out")"
"$validators/bin/python" - "$top/tests/system/sbom_check.py" <<'PY' >/dev/null || fail "the validators do not start"
import spdx_tools, cyclonedx
PY
sed -i 's/"version": "1.0+local.1"/&, "license": "MIT"/; s/"version": "2"/&, "license_expression": "MIT AND (Apache-2.0 OR BSD-2-Clause)"/' pip.json
check ./hostile pip.json none
assert_equal "an address that is none" null "$(jq '.packages[] | select(.name == "good-package") | .homepage' spdx.json)"

pack nameless-3.0.dist-info <<<$'Version: 9'
printf 'Name: bytes\nVersion: 1\nLicense: \xff\xfe\x00 text\nSummary: \xc3\n' | pack bytes-1.dist-info
pack twice-1.0.dist-info <<<$'Name: twice\nVersion: 1.0'
pack twice_-1.0.dist-info <<<$'Name: twice\nVersion: 1.0'
pack refs-1.dist-info <<<$'Name: refs\nVersion: 1\nLicense-Expression: LicenseRef-Mine OR MIT'
python3 - <<'PY' | pack huge-1.dist-info
print("Name: huge\nVersion: 1\nLicense: " + "x" * 3000000 + "\n" + "Requires-Dist: other\n" * 100000)
PY
head -c 20000000 /dev/zero | tr '\0' a | pack larger-4.dist-info
pack pip/_vendor/x-1.dist-info <<<$'Name: x\nVersion: 1'
rm -f "$site/good-1.0.dist-info/METADATA" && ln -s /etc/shadow "$site/good-1.0.dist-info/METADATA"
mkdir -p layer/var/lib/dpkg layer/usr/share/doc/strange layer/usr/share/doc/proper
printf 'Package: strange\nStatus: install ok installed\nArchitecture: all\nVersion: 1:2~x\nMaintainer: \xff A <a@b>\nDepends: proper, proper (>>\n\n' >layer/var/lib/dpkg/status
printf 'Package: proper\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n\ngarbage' >>layer/var/lib/dpkg/status
printf 'Format: x/copyright-format/1.0/\n\nFiles: *\nLicense: GPL-2+ or my own, and Expat\n\nLicense: my own\n Do as you like.\n' >layer/usr/share/doc/proper/copyright
head -c 300000 /dev/urandom >layer/usr/share/doc/strange/copyright
make layer
"$SLIPWAY" sbom ./hostile -o spdx.json 2>"$scratch/err" || fail "a hostile image"
assert_contains "it says what it did not read" "larger-4.dist-info/METADATA" "$(cat "$scratch/err")"
jq -r '.packages[1:][] | .name + " " + .versionInfo' spdx.json | sort | tr '\n' ';' >listed
assert_equal "what is listed" "bytes 1;good 1.0;huge 1;larger 4;nameless 3.0;other 2;proper 1;refs 1;strange 1:2~x;twice 1.0;twice 1.0;" "$(cat listed)"
expect_ok slipway sbom ./hostile --format cyclonedx -o cyclonedx.json
"$validators/bin/python" "$top/tests/system/sbom_check.py" spdx.json cyclonedx.json none none >said 2>&1
assert_equal "what the validators say of it" "" "$(grep -E '^(SPDX|CycloneDX|pkg:)|Traceback|Error' said)"
assert_equal "what Debian's words become" "(GPL-2.0-or-later OR LicenseRef-my-own) AND MIT" \
  "$(jq -r '.packages[] | select(.name == "proper") | .licenseDeclared' spdx.json | sed 's/own-[0-9a-f]*/own/')"

# Nothing of the kind in it; and what is not there.
rm -rf layer && mkdir -p layer/x && make layer
check ./hostile none none
expect_error 1 "there is no image \`sbmo:1\`" slipway sbom sbmo:1
expect_error 2 "is not a format" slipway sbom ./hostile --format xml
expect_error 1 "nowhere" slipway sbom ./hostile -o nowhere/x
echo ok
