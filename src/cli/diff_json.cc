#include <nlohmann/json.hpp>

#include "cli/diff_text.h"

namespace slipway::cli {
namespace {

using Json = nlohmann::ordered_json;
using Look = layer::FileLook;

Json or_null(const std::string& text, bool is_there) { return is_there ? Json(text) : Json(); }

Json side_json(const plan::DiffSide& side) {
  return {{"reference", side.reference},
          {"digest", side.digest.text()},
          {"layers", side.layers},
          {"compressed_size", side.compressed_bytes},
          {"unpacked_size", side.unpacked_bytes}};
}

Json packages_json(const plan::ImageDiff& diff) {
  Json list = Json::array();
  for (const plan::PackageDiff& package : diff.packages) {
    const bool is_python = package.kind == plan::PackageKind::Python;
    list.push_back({{"kind", is_python ? "python" : "debian"},
                    {"name", package.name},
                    {"before", or_null(package.before, !package.before.empty())},
                    {"after", or_null(package.after, !package.after.empty())},
                    {"files",
                     {{"added", package.files.added},
                      {"removed", package.files.removed},
                      {"changed", package.files.changed},
                      {"more_bytes", package.files.more_bytes}}}});
  }
  return list;
}

Json code_json(const plan::ImageDiff& diff) {
  Json list = Json::array();
  for (const plan::CodeDiff& code : diff.code) {
    list.push_back({{"package", or_null(code.package, !code.package.empty())},
                    {"gained", code.gained},
                    {"lost", code.lost}});
  }
  return list;
}

Json config_json(const plan::ImageDiff& diff) {
  Json list = Json::array();
  for (const plan::ConfigDiff& one : diff.config) {
    list.push_back({{"field", one.field},
                    {"before", or_null(one.before, one.was_there)},
                    {"after", or_null(one.after, one.is_there)}});
  }
  return list;
}

Json look_json(const std::optional<Look>& look) {
  if (!look) return nullptr;
  static constexpr const char* kKinds[] = {"file", "link", "folder", "other"};
  const bool is_link = look->kind == Look::Kind::Link;
  return {{"kind", kKinds[static_cast<std::size_t>(look->kind)]},
          {"size", look->size_bytes},
          {"mode", fmt::format("{:04o}", look->mode)},
          {"uid", look->uid},
          {"gid", look->gid},
          {"target", or_null(look->target, is_link)}};
}

Json files_json(const plan::ImageDiff& diff) {
  Json list = Json::array();
  for (const plan::FileDiff& file : diff.files) {
    list.push_back({{"path", file.change.path},
                    {"package", or_null(file.owner, !file.owner.empty())},
                    {"contents_differ", file.change.has_other_contents},
                    {"before", look_json(file.change.before)},
                    {"after", look_json(file.change.after)}});
  }
  return list;
}

}  // namespace

std::string diff_json(const plan::ImageDiff& diff, ShowFiles files) {
  const Json answer{{"schema", 1},
                    {"differ", !diff.is_empty()},
                    {"before", side_json(diff.before)},
                    {"after", side_json(diff.after)},
                    {"shared", {{"layers", diff.shared_layers}, {"size", diff.shared_bytes}}},
                    {"pull", {{"layers", diff.pulled_layers}, {"size", diff.pulled_bytes}}},
                    {"packages", packages_json(diff)},
                    {"gpu_code", code_json(diff)},
                    {"config", config_json(diff)},
                    {"files", files == ShowFiles::All ? files_json(diff) : Json()}};
  // Names of files are bytes.
  return answer.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace slipway::cli
