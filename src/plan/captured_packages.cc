#include "plan/captured_packages.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "layer/record_file.h"
#include "version/package_name.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kDistInfo = ".dist-info";

/// The value of `Name: value` among the headers of METADATA.
std::string header(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    if (!line.starts_with(name) || !line.substr(name.size()).starts_with(':')) continue;
    line.remove_prefix(name.size() + 1);
    while (line.starts_with(' ')) line.remove_prefix(1);
    return std::string(line);
  }
  return "";
}

/// The folder of an editable install; empty where it is none (PEP 610).
Result<std::string> editable_folder(const std::string& dist_info) {
  const auto text = read_file(dist_info + "/direct_url.json");
  if (!text.ok()) return std::string();
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object() || !json.contains("dir_info") || !json["dir_info"].is_object()) {
    return std::string();
  }
  const auto& info = json["dir_info"];
  if (!info.contains("editable") || info["editable"] != true) return std::string();
  const std::string url =
      json.contains("url") && json["url"].is_string() ? json["url"].get<std::string>() : "";
  return url.starts_with("file://") ? url.substr(7) : url.empty() ? "?" : url;
}

Result<void> read_record(const CapturedTree& tree, const std::string& site,
                         const std::vector<std::string>& prefixes, CapturedPackage& package) {
  const std::string own = package.folder + "/RECORD";
  if (!tree.has(own)) return {};
  const auto record = layer::parse_record(TRY(read_file(own)));
  if (!record.ok()) return {};
  package.has_record = true;
  for (const auto& [row_path, row] : *record) {
    if (row_path.find("__pycache__/") != std::string::npos) continue;
    const std::string path = find_record_path(site, row_path, prefixes);
    if (path.empty()) {
      package.outside.push_back(row_path);
      continue;
    }
    const auto found = tree.files().find(path);
    if (found == tree.files().end()) {
      package.missing.push_back(path);
    } else if (path == own || row.hash == "sha256=" + found->second.sha256.base64url()) {
      package.files.push_back(path);
    } else {
      package.changed.push_back(path);
    }
  }
  std::sort(package.files.begin(), package.files.end());
  return {};
}

}  // namespace

std::string find_record_path(std::string_view site_folder, std::string_view row_path,
                             const std::vector<std::string>& prefixes) {
  if (row_path.empty() || row_path.starts_with('/')) return "";
  const auto path = absolute_path(fmt::format("{}/{}", site_folder, row_path));
  if (!path.ok()) return "";
  for (const std::string& prefix : prefixes) {
    if (*path != prefix && is_within(*path, prefix)) return *path;
  }
  return "";
}

Result<CapturedPackages> find_captured_packages(
    const CapturedTree& tree, const std::vector<std::string>& site_folders,
    const std::vector<std::string>& prefixes,
    const std::function<bool(const std::string& path)>& is_inside) {
  CapturedPackages found;
  for (const std::string& site : site_folders) {
    const auto begin = tree.files().lower_bound(site + "/");
    for (auto at = begin; at != tree.files().end() && is_within(at->first, site); ++at) {
      const std::string& path = at->first;
      if (parent_path(path) != site || !path.ends_with(kDistInfo) ||
          !tree.has(path + "/METADATA")) {
        continue;
      }
      const std::string text = TRY(read_file(path + "/METADATA"));
      CapturedPackage package;
      const auto name = version::PackageName::parse(header(text, "Name"));
      if (!name.ok()) continue;  // no package says so: its files belong to nobody
      package.name = name->text();
      package.version = header(text, "Version");
      package.folder = path;
      const std::string folder = TRY(editable_folder(path));
      if (!folder.empty() && !is_inside(folder)) {
        return make_error(ErrorKind::InvalidInput, "{} is an editable install of `{}`",
                          package.name, folder)
            .reason("what it imports lies outside the environment")
            .hint("`--include " + folder +
                  "` brings that folder along, or install it as a package");
      }
      TRY(read_record(tree, site, prefixes, package));
      found.packages.push_back(std::move(package));
    }
  }
  std::sort(found.packages.begin(), found.packages.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name, a.folder) < std::tie(b.name, b.folder);
  });
  for (std::size_t i = 0; i < found.packages.size(); ++i) {
    std::vector<std::string>& files = found.packages[i].files;
    std::erase_if(
        files, [&](const std::string& path) { return !found.owners.try_emplace(path, i).second; });
  }
  return found;
}

}  // namespace slipway::plan
