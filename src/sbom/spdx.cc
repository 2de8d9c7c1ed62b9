#include <nlohmann/json.hpp>
#include <set>

#include "sbom/bom.h"

namespace slipway::sbom {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kNoAssertion = "NOASSERTION";

/// An SPDX identifier holds letters, digits, dots and dashes (spdx-spec 2.3, 7.2).
std::string spdx_id(std::string_view text) {
  std::string id = "SPDXRef-";
  for (const char c : text) {
    const bool is_allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.';
    id += is_allowed ? std::string(1, c) : fmt::format("-{:02x}-", static_cast<unsigned char>(c));
  }
  return id;
}

Json purl_reference(const std::string& purl) {
  return Json::array({{{"referenceCategory", "PACKAGE-MANAGER"},
                       {"referenceType", "purl"},
                       {"referenceLocator", purl}}});
}

/// `Organization: Name (mail)`: spdx-spec 2.3, 7.5.
std::string supplier_text(const std::string& supplier) {
  if (supplier.empty()) return kNoAssertion;
  const std::size_t open = supplier.find(" <");
  if (open == std::string::npos || !supplier.ends_with('>')) return "Organization: " + supplier;
  return fmt::format("Organization: {} ({})", supplier.substr(0, open),
                     supplier.substr(open + 2, supplier.size() - open - 3));
}

Json package_json(const Component& component) {
  Json package{{"SPDXID", spdx_id(component.id)}, {"name", component.name}};
  if (!component.version.empty()) package["versionInfo"] = component.version;
  if (!component.file.empty()) package["packageFileName"] = component.file;
  package["supplier"] = supplier_text(component.supplier);
  package["downloadLocation"] = kNoAssertion;
  package["filesAnalyzed"] = false;
  if (component.sha256) {
    package["checksums"] =
        Json::array({{{"algorithm", "SHA256"}, {"checksumValue", component.sha256->hex()}}});
  }
  if (!component.homepage.empty()) package["homepage"] = component.homepage;
  const std::string& licence = component.licence.expression;
  package["licenseConcluded"] = kNoAssertion;
  package["licenseDeclared"] = licence.empty() ? kNoAssertion : licence;
  if (licence.empty() && !component.licence_remark.empty())
    package["licenseComments"] = component.licence_remark;
  package["copyrightText"] = kNoAssertion;
  if (!component.summary.empty()) package["summary"] = component.summary;
  if (!component.place.empty()) package["sourceInfo"] = "found at " + component.place;
  package["externalRefs"] = purl_reference(component.purl);
  return package;
}

Json image_json(const Bom& bom) {
  return {
      {"SPDXID", "SPDXRef-image"},
      {"name", bom.name},
      {"versionInfo", bom.version},
      {"supplier", kNoAssertion},
      {"downloadLocation", kNoAssertion},
      {"filesAnalyzed", false},
      {"checksums", Json::array({{{"algorithm", "SHA256"}, {"checksumValue", bom.digest.hex()}}})},
      {"licenseConcluded", kNoAssertion},
      {"licenseDeclared", kNoAssertion},
      {"copyrightText", kNoAssertion},
      {"comment", "the checksum is that of the image's manifest"},
      {"externalRefs", purl_reference(bom.purl)},
      {"primaryPackagePurpose", "CONTAINER"}};
}

Json relationships_json(const Bom& bom) {
  Json all = Json::array();
  const auto add = [&](std::string_view from, std::string_view kind, std::string_view to) {
    all.push_back(
        {{"spdxElementId", from}, {"relationshipType", kind}, {"relatedSpdxElement", to}});
  };
  add("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image");
  for (const Component& component : bom.components)
    add("SPDXRef-image", "CONTAINS", spdx_id(component.id));
  for (const Component& component : bom.components) {
    for (const std::string& need : component.needs)
      add(spdx_id(component.id), "DEPENDS_ON", spdx_id(need));
  }
  return all;
}

/// A name for the namespace: letters, digits, dots and dashes.
std::string plain_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.';
    name += is_plain ? c : '-';
  }
  return name;
}

}  // namespace

std::string spdx_text(const Bom& bom) {
  Json packages = Json::array({image_json(bom)});
  std::map<std::string, std::string> texts;
  for (const Component& component : bom.components) {
    packages.push_back(package_json(component));
    texts.insert(component.licence.texts.begin(), component.licence.texts.end());
  }
  Json document{
      {"spdxVersion", "SPDX-2.3"},
      {"dataLicense", "CC0-1.0"},
      {"SPDXID", "SPDXRef-DOCUMENT"},
      {"name", bom.reference},
      // The form that spdx-spec 2.3, 6.5 recommends; one image and one program give one document.
      {"documentNamespace",
       fmt::format("https://spdx.org/spdxdocs/{}-{}-slipway-{}", plain_name(bom.reference),
                   bom.digest.hex(), bom.tool_version)},
      {"creationInfo",
       {{"created", bom.created}, {"creators", {"Tool: slipway-" + bom.tool_version}}}},
      {"documentDescribes", {"SPDXRef-image"}},
      {"packages", std::move(packages)}};
  Json extracted = Json::array();
  for (const auto& [id, text] : texts)
    extracted.push_back({{"licenseId", id}, {"extractedText", text}});
  if (!extracted.empty()) document["hasExtractedLicensingInfos"] = std::move(extracted);
  document["relationships"] = relationships_json(bom);
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace slipway::sbom
