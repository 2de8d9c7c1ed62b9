#include "layer/edited_toc.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace slipway::layer {
namespace {

using Json = nlohmann::ordered_json;

Json* entries_of(Json& table) {
  if (!table.is_object()) return nullptr;
  const auto entries = table.find("entries");
  return entries != table.end() && entries->is_array() ? &*entries : nullptr;
}

std::string text_of(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Writers differ in how a path begins.
std::string path_of(const Json& entry) {
  std::string_view name = entry.find("name")->get_ref<const std::string&>();
  if (name.starts_with("./")) name.remove_prefix(2);
  if (name.starts_with("/")) name.remove_prefix(1);
  return std::string(name);
}

bool is_one_chunk(const Json& entry) {
  return text_of(entry, "type") == "reg" && entry.contains("offset") &&
         entry.contains("chunkDigest") && !entry.contains("chunkSize") &&
         !entry.contains("chunkOffset") && !entry.contains("innerOffset");
}

}  // namespace

std::optional<EditedToc> EditedToc::read(std::string_view text, Changes changes,
                                         const std::set<std::uint64_t>& members) {
  Json table = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const Json* entries = entries_of(table);
  if (entries == nullptr) return std::nullopt;
  std::size_t found = 0;
  for (const Json& entry : *entries) {
    // Where several files share a member, a change of one moves the others.
    if (!entry.is_object() || text_of(entry, "name").empty() || entry.contains("innerOffset")) {
      return std::nullopt;
    }
    const auto offset = entry.find("offset");
    const bool is_told = offset == entry.end() || (offset->is_number_unsigned() &&
                                                   members.contains(offset->get<std::uint64_t>()));
    if (!is_told) return std::nullopt;
    const auto change = changes.find(path_of(entry));
    if (change == changes.end()) continue;
    if (!is_one_chunk(entry) || (change->second && change->second->size_bytes == 0)) {
      return std::nullopt;
    }
    ++found;
  }
  if (found != changes.size()) return std::nullopt;
  EditedToc toc;
  toc.text_ = text;
  toc.changes_ = std::move(changes);
  return toc;
}

std::string EditedToc::write(const std::map<std::uint64_t, std::uint64_t>& offsets) const {
  Json table = Json::parse(text_);
  Json& entries = *entries_of(table);
  Json kept = Json::array();
  for (Json& entry : entries) {
    const auto change = changes_.find(path_of(entry));
    if (change != changes_.end() && !change->second) continue;
    if (const auto offset = entry.find("offset"); offset != entry.end()) {
      *offset = offsets.at(offset->get<std::uint64_t>());
    }
    if (change != changes_.end()) {
      entry["size"] = change->second->size_bytes;
      entry["digest"] = entry["chunkDigest"] = change->second->contents.text();
    }
    kept.push_back(std::move(entry));
  }
  entries = std::move(kept);
  return table.dump();
}

}  // namespace slipway::layer
