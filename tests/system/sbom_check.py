"""What other people's programs say of a bill of materials: sbom_check.py SPDX CYCLONEDX PIP_INSPECT DPKG

SPDX 2.3 by spdx-tools, CycloneDX 1.6 by cyclonedx-python-lib, package URLs by packageurl-python; and
the packages must be those of `pip inspect` and `dpkg-query -W`, neither more nor fewer. PIP_INSPECT and
DPKG may be empty files: then there are none.
"""
import json, re, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

spdx_path, cyclonedx_path, pip_path, dpkg_path = sys.argv[1:]
problems = [f"SPDX: {m.context.spdx_id}: {m.validation_message}" for m in validate_full_spdx_document(parse_file(spdx_path))]
text = open(cyclonedx_path).read()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
if error:
    problems.append(f"CycloneDX: {str(error)[:1000]}")
spdx, cyclonedx = json.load(open(spdx_path)), json.loads(text)

packages = {p["SPDXID"]: p for p in spdx["packages"] if p["SPDXID"] != "SPDXRef-image"}
purls = sorted(p["externalRefs"][0]["referenceLocator"] for p in packages.values())
for purl in purls + [spdx["packages"][0]["externalRefs"][0]["referenceLocator"]]:
    if PackageURL.from_string(purl).to_string() != purl:
        problems.append(f"{purl} is not how packageurl-python writes it: {PackageURL.from_string(purl).to_string()}")
if purls != sorted(c["purl"] for c in cyclonedx["components"]):
    problems.append("the two formats name other packages")


def compare(kind, type_, expected):
    found = sorted((PackageURL.from_string(p).name, PackageURL.from_string(p).version,
                    PackageURL.from_string(p).qualifiers.get("arch", "")) for p in purls if p.startswith(f"pkg:{type_}/"))
    if found != sorted(expected):
        problems.append(f"{kind} has {sorted(set(expected) - set(found))}, the bill {sorted(set(found) - set(expected))}")


inspected = json.loads(open(pip_path).read() or '{"installed": []}')["installed"]
normal = lambda name: re.sub(r"[-_.]+", "-", name).lower()
compare("pip", "pypi", [(normal(p["metadata"]["name"]), p["metadata"]["version"], "") for p in inspected])
compare("dpkg", "deb", [tuple(line.split()) for line in open(dpkg_path)])

# What pip reads of each package is what the bill says.
by_name = {p["name"]: p for i, p in packages.items() if i.startswith("SPDXRef-python-")}
depends = {(r["spdxElementId"], r["relatedSpdxElement"]) for r in spdx["relationships"] if r["relationshipType"] == "DEPENDS_ON"}
for one in inspected:
    metadata, package = one["metadata"], by_name.get(normal(one["metadata"]["name"]), {})
    stated = metadata.get("license_expression")
    if stated and package.get("licenseDeclared") != stated:
        problems.append(f"{metadata['name']}: {stated} became {package.get('licenseDeclared')}")
    if not metadata.get("license") and not stated and not any("License" in c for c in metadata.get("classifier", [])) \
            and package.get("licenseDeclared") != "NOASSERTION":
        problems.append(f"{metadata['name']}: a licence out of nothing, {package.get('licenseDeclared')}")
    for need in metadata.get("requires_dist", []):
        name = normal(re.match(r"[A-Za-z0-9._-]+", need).group(0))
        if ";" not in need and name in by_name and (package["SPDXID"], by_name[name]["SPDXID"]) not in depends:
            problems.append(f"{metadata['name']} needs {name}, and the bill does not say so")
print("\n".join(problems[:30]))
print(f"{len(packages)} packages, {len(depends)} dependencies, {sum('checksums' in p for p in packages.values())} digests")
sys.exit(bool(problems))
