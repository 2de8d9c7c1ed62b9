#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "sbom/bom.h"
#include "sbom/package_url.h"

namespace slipway::sbom {
namespace {

using Json = nlohmann::json;

Component make_component(const std::string& id) {
  Component component;
  component.id = component.name = id;
  component.version = "1.0";
  component.purl = "pkg:pypi/" + id + "@1.0";
  return component;
}

Bom make_bom(std::vector<Component> components) {
  Bom bom;
  bom.reference = "an image:1";
  bom.name = "an image";
  bom.version = "1";
  bom.digest = sha256("manifest");
  bom.created = "1980-01-01T00:00:00Z";
  bom.tool_version = "0.1.0";
  bom.components = std::move(components);
  finish(bom);
  return bom;
}

TEST_CASE("package URLs") {
  CHECK(package_url({"pypi", "", "torch", "2.6.0+cu124", {}}) == "pkg:pypi/torch@2.6.0%2Bcu124");
  CHECK(package_url({"deb",
                     "debian",
                     "libstdc++6",
                     "1:12.2.0-14~x",
                     {{"distro", "debian-12"}, {"arch", "amd64"}, {"none", ""}}}) ==
        "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14~x?arch=amd64&distro=debian-12");
}

TEST_CASE("ids are unique, and needs name what is there") {
  Component b = make_component("b");
  b.needs = {"c", "b", "gone", "c", "a"};
  Component other = make_component("b");
  other.place = "/elsewhere";
  const Bom bom =
      make_bom({b, other, make_component("c"), make_component("a"), make_component("b-2")});
  std::vector<std::string> ids;
  for (const Component& component : bom.components) ids.push_back(component.id);
  CHECK(ids == std::vector<std::string>{"a", "b", "b-2", "b-3", "c"});
  CHECK(bom.components[1].needs == std::vector<std::string>{"a", "c"});
}

TEST_CASE("both formats take any text, and give the same bytes for the same Bom") {
  Component component = make_component("under_score");
  component.summary = "bad \xff bytes \x01";
  component.licence = {"LicenseRef-x", {{"LicenseRef-x", "text \xc3"}}};
  component.supplier = "A <b@c>";
  component.sha256 = sha256("file");
  Component plain = make_component("plain");
  plain.licence = {"MIT", {}};
  plain.needs = {"under_score"};
  const Bom bom = make_bom({component, plain});
  const std::string spdx = spdx_text(bom), cyclonedx = cyclonedx_text(bom);
  const Json spdx_json = Json::parse(spdx), cyclonedx_json = Json::parse(cyclonedx);
  CHECK(spdx_json["packages"].size() == 3);
  CHECK(spdx_json["packages"][1]["licenseDeclared"] == "MIT");
  CHECK(spdx_json["packages"][2]["SPDXID"] == "SPDXRef-under-5f-score");
  CHECK(spdx_json["packages"][2]["supplier"] == "Organization: A (b@c)");
  CHECK(spdx_json["hasExtractedLicensingInfos"].size() == 1);
  CHECK(spdx_json["relationships"].back()["relationshipType"] == "DEPENDS_ON");
  CHECK(cyclonedx_json["components"][0]["licenses"][0]["license"]["id"] == "MIT");
  CHECK(cyclonedx_json["components"][1]["licenses"][0]["license"]["name"] == "LicenseRef-x");
  CHECK(cyclonedx_json["dependencies"][1]["dependsOn"][0] == "under_score");
  CHECK(spdx == spdx_text(make_bom({plain, component})));
  CHECK(cyclonedx == cyclonedx_text(make_bom({plain, component})));
}

}  // namespace
}  // namespace slipway::sbom
