#include "plan/image_sbom.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/file.h"
#include "base/utc_time.h"
#include "plan/image_packages.h"
#include "plan/package_origins.h"
#include "sbom/package_url.h"
#include "version/lenient.h"
#include "version/python_target.h"

namespace slipway::plan {
namespace {

/// Names that the package asks for on its own Python, without extras.
std::vector<std::string> required_names(const InstalledPython& package) {
  version::PythonTarget target;
  const std::string_view minor =
      std::string_view(package.python).substr(std::min<std::size_t>(2, package.python.size()));
  std::from_chars(minor.data(), minor.data() + minor.size(), target.minor);
  const auto environment = version::marker_environment(target, fmt::format("3.{}.0", target.minor));
  std::vector<std::string> names;
  for (const std::string& text : package.metadata.requires_dist) {
    const auto requirement = version::parse_old_requirement(text);
    if (!requirement.ok()) continue;
    if (requirement->marker && !requirement->marker->evaluate(environment, {})) continue;
    names.push_back(requirement->name.text());
  }
  return names;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// Both formats want an address or nothing; packages write `UNKNOWN`, or a sentence.
std::string web_address(const std::string& text) {
  const bool is_address = text.starts_with("https://") || text.starts_with("http://");
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#@!$&'()*+,;=%";
  return is_address && text.find_first_not_of(kAllowed) == std::string::npos ? text : "";
}

class BomMaker {
 public:
  BomMaker(const ImagePackages& packages, const ImageFiles& files, const PackageOrigins& origins)
      : packages_(packages), files_(files), origins_(origins) {}

  std::vector<sbom::Component> make() {
    std::vector<sbom::Component> components;
    for (const index::InstalledDeb& deb : packages_.debian) {
      for (const std::string& name : deb.provides) providers_[name].push_back(id_of(deb));
      installed_[deb.name].push_back(id_of(deb));
    }
    for (const InstalledPython& package : packages_.python) pythons_[package.name] = id_of(package);
    for (const index::InstalledDeb& deb : packages_.debian) components.push_back(component_of(deb));
    for (const InstalledPython& package : packages_.python)
      components.push_back(component_of(package));
    return components;
  }

 private:
  static std::string id_of(const InstalledPython& package) {
    return fmt::format("python-{}-{}", package.name, package.metadata.version);
  }
  static std::string id_of(const index::InstalledDeb& deb) {
    return fmt::format("debian-{}-{}-{}", deb.name, deb.version, deb.architecture);
  }

  sbom::Component component_of(const InstalledPython& package) {
    const index::CoreMetadata& metadata = package.metadata;
    sbom::Component component;
    component.ecosystem = sbom::Ecosystem::Python;
    component.id = id_of(package);
    component.name = package.name;
    component.version = metadata.version;
    component.purl = sbom::package_url({"pypi", "", package.name, metadata.version, {}});
    component.summary = first_line(metadata.summary);
    component.homepage = web_address(metadata.homepage);
    component.licence = sbom::licence_of_python(
        {metadata.licence_expression, metadata.licence, metadata.classifiers});
    component.licence_remark = "the package's METADATA names no licence";
    component.place = package.place;
    const PackageOrigin* const origin =
        take_origin(python_origin_key(package.name, metadata.version), component);
    const std::vector<std::string> names =
        origin != nullptr && origin->needs ? *origin->needs : required_names(package);
    for (const std::string& name : names) {
      const auto need = pythons_.find(name);
      if (need != pythons_.end()) component.needs.push_back(need->second);
    }
    return component;
  }

  sbom::Component component_of(const index::InstalledDeb& deb) {
    sbom::Component component;
    component.ecosystem = sbom::Ecosystem::Debian;
    component.id = id_of(deb);
    component.name = deb.name;
    component.version = deb.version;
    component.purl = deb_purl(deb);
    component.summary = deb.summary;
    component.homepage = web_address(deb.homepage);
    component.supplier = deb.maintainer;
    add_licence(deb, component);
    take_origin(debian_origin_key(deb.name, deb.version, deb.architecture), component);
    for (const std::vector<std::string>& alternatives : deb.depends)
      add_need(alternatives, component);
    return component;
  }

  std::string deb_purl(const index::InstalledDeb& deb) const {
    const std::string& distribution =
        packages_.distribution.empty() ? std::string("debian") : packages_.distribution;
    const std::string& number = packages_.distribution_version;
    return sbom::package_url(
        {"deb",
         distribution,
         deb.name,
         deb.version,
         {{"arch", deb.architecture},
          {"distro", number.empty() ? std::string() : distribution + "-" + number}}});
  }

  void add_licence(const index::InstalledDeb& deb, sbom::Component& component) const {
    const std::string path = fmt::format("/usr/share/doc/{}/copyright", deb.name);
    const std::string text = files_.text(path);
    const index::DebianCopyright copyright = index::parse_debian_copyright(text);
    component.licence = sbom::licence_of_debian({copyright.licences, copyright.texts});
    component.licence_remark =
        text.empty() ? fmt::format("the image has no {}", path)
                     : fmt::format("{} is for people: it has no machine-readable form", path);
  }

  const PackageOrigin* take_origin(const std::string& key, sbom::Component& component) const {
    const auto found = origins_.find(key);
    if (found == origins_.end()) return nullptr;
    component.file = found->second.file;
    component.sha256 = found->second.sha256;
    return &found->second;
  }

  /// The first alternative that is there; where none is by name, one that provides it.
  void add_need(const std::vector<std::string>& alternatives, sbom::Component& component) const {
    for (const auto* table : {&installed_, &providers_}) {
      for (const std::string& name : alternatives) {
        const auto found = table->find(name);
        if (found == table->end()) continue;
        component.needs.push_back(found->second.front());
        return;
      }
    }
  }

  const ImagePackages& packages_;
  const ImageFiles& files_;
  const PackageOrigins& origins_;
  std::map<std::string, std::vector<std::string>> installed_, providers_;
  std::map<std::string, std::string> pythons_;
};

/// To the second, as both formats want it.
std::string created_text(const std::string& created) {
  const auto time = parse_utc_time(created);
  const UtcTime moment = time.ok() ? *time : UtcTime();
  return utc_time_text(std::chrono::floor<std::chrono::seconds>(moment));
}

void name_image(const StoredImage& image, sbom::Bom& bom) {
  bom.reference = image.reference;
  bom.digest = image.digest;
  const auto name = store::parse_image_name(image.reference);
  bom.name = name.ok() ? name->name : base_name(image.reference);
  bom.version = name.ok() ? name->tag : image.digest.text();
  std::string last = base_name(bom.name);
  for (char& c : last) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  const bool is_of_registry = name.ok() && !name->registry.empty();
  bom.purl = sbom::package_url(
      {"oci",
       "",
       last,
       image.digest.text(),
       {{"arch", image.config.platform.architecture},
        {"tag", name.ok() ? name->tag : ""},
        {"repository_url", is_of_registry ? name->registry + "/" + name->name : ""}}});
}

}  // namespace

Result<sbom::Bom> make_sbom(const StoredImage& image, const std::string& project_lock,
                            const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  TRY(check_unpacked(image, store));
  const ImageFiles files(image, store);
  const ImagePackages packages = TRY(read_image_packages(image, files, store, tools));
  const PackageOrigins origins = find_package_origins(image, files, store, project_lock);
  sbom::Bom bom;
  name_image(image, bom);
  bom.created = created_text(image.config.created);
  bom.tool_version = SLIPWAY_VERSION;
  bom.components = BomMaker(packages, files, origins).make();
  sbom::finish(bom);
  return bom;
}

}  // namespace slipway::plan
