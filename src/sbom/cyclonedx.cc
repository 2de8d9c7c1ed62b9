#include <nlohmann/json.hpp>

#include "sbom/bom.h"

namespace slipway::sbom {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kImageReference = "image";

/// A UUID made of the image's digest: version 8 (RFC 9562) is for such.
std::string serial_number(const Bom& bom) {
  std::string hex = sha256(bom.digest.hex() + " cyclonedx slipway " + bom.tool_version).hex();
  hex[12] = '8';
  hex[16] = '8';
  return fmt::format("urn:uuid:{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4),
                     hex.substr(12, 4), hex.substr(16, 4), hex.substr(20, 12));
}

Json hashes_json(const Digest& digest) {
  return Json::array({{{"alg", "SHA-256"}, {"content", digest.hex()}}});
}

/// A licence of the list by its identifier, one that is not by its name and text, more than one as
/// an expression: CycloneDX has no expression beside others.
Json licences_json(const Licence& licence) {
  if (licence.expression.empty()) return Json::array();
  if (const auto id = find_licence_id(licence.expression))
    return Json::array({{{"license", {{"id", *id}}}}});
  const auto text = licence.texts.find(licence.expression);
  if (text != licence.texts.end()) {
    return Json::array(
        {{{"license",
           {{"name", licence.expression},
            {"text", {{"contentType", "text/plain"}, {"content", text->second}}}}}}});
  }
  return Json::array({{{"expression", licence.expression}}});
}

Json component_json(const Component& component) {
  Json json{{"type", "library"}, {"bom-ref", component.id}};
  if (!component.supplier.empty()) json["publisher"] = component.supplier;
  json["name"] = component.name;
  if (!component.version.empty()) json["version"] = component.version;
  if (!component.summary.empty()) json["description"] = component.summary;
  if (component.sha256) json["hashes"] = hashes_json(*component.sha256);
  Json licences = licences_json(component.licence);
  if (!licences.empty()) json["licenses"] = std::move(licences);
  json["purl"] = component.purl;
  if (!component.homepage.empty()) {
    json["externalReferences"] = Json::array({{{"type", "website"}, {"url", component.homepage}}});
  }
  Json properties = Json::array();
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) properties.push_back({{"name", name}, {"value", value}});
  };
  add("slipway:file", component.file);
  add("slipway:place", component.place);
  for (const auto& [id, text] : component.licence.texts) {
    if (id != component.licence.expression) add("slipway:licence:" + id, text);
  }
  if (component.licence.expression.empty()) add("slipway:licence", component.licence_remark);
  if (!properties.empty()) json["properties"] = std::move(properties);
  return json;
}

Json dependencies_json(const Bom& bom) {
  Json all = Json::array();
  Json of_image = Json::array();
  for (const Component& component : bom.components) of_image.push_back(component.id);
  all.push_back({{"ref", kImageReference}, {"dependsOn", std::move(of_image)}});
  for (const Component& component : bom.components)
    all.push_back({{"ref", component.id}, {"dependsOn", component.needs}});
  return all;
}

}  // namespace

std::string cyclonedx_text(const Bom& bom) {
  Json components = Json::array();
  for (const Component& component : bom.components) components.push_back(component_json(component));
  const Json tool{{"type", "application"}, {"name", "slipway"}, {"version", bom.tool_version}};
  const Json image{
      {"type", "container"},    {"bom-ref", kImageReference},        {"name", bom.name},
      {"version", bom.version}, {"hashes", hashes_json(bom.digest)}, {"purl", bom.purl}};
  const Json document{{"$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json"},
                      {"bomFormat", "CycloneDX"},
                      {"specVersion", "1.6"},
                      {"serialNumber", serial_number(bom)},
                      {"version", 1},
                      {"metadata",
                       {{"timestamp", bom.created},
                        {"tools", {{"components", Json::array({tool})}}},
                        {"component", image}}},
                      {"components", std::move(components)},
                      {"dependencies", dependencies_json(bom)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace slipway::sbom
