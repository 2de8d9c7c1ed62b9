#include "spec/registries_conf.h"

#include <algorithm>

#include "spec/document.h"

namespace slipway::spec {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

const Value* find_value(const Table& table, const std::string& key) {
  const auto entry = table.entries.find(key);
  return entry == table.entries.end() ? nullptr : &entry->second.value;
}

std::string text_of(const Table& table, const std::string& key) {
  const Value* const value = find_value(table, key);
  const auto* const text = value == nullptr ? nullptr : std::get_if<std::string>(&value->data);
  return text == nullptr ? "" : *text;
}

bool is_set(const Table& table, const std::string& key) {
  const Value* const value = find_value(table, key);
  const bool* const flag = value == nullptr ? nullptr : std::get_if<bool>(&value->data);
  return flag != nullptr && *flag;
}

KnownRegistry read_registry(const Table& table) {
  KnownRegistry registry;
  registry.location = text_of(table, "location");
  registry.prefix = text_of(table, "prefix");
  if (registry.prefix.empty()) registry.prefix = registry.location;
  if (is_set(table, "insecure")) registry.insecure = Insecure::Yes;
  if (is_set(table, "blocked")) registry.blocked = Blocked::Yes;
  return registry;
}

bool is_below(std::string_view name, std::string_view prefix) {
  if (prefix.empty()) return false;
  if (prefix.starts_with("*.")) {
    const std::string_view host = name.substr(0, name.find('/'));
    return host.ends_with(prefix.substr(1));
  }
  return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '/');
}

}  // namespace

void RegistriesConf::merge(const RegistriesConf& other) {
  if (!other.search.empty()) search = other.search;
  for (const auto& [name, target] : other.aliases) aliases[name] = target;
  for (const KnownRegistry& registry : other.registries) {
    std::erase_if(registries, [&](const auto& one) { return one.prefix == registry.prefix; });
    registries.push_back(registry);
  }
}

const KnownRegistry* RegistriesConf::find(std::string_view whole_name) const {
  const KnownRegistry* best = nullptr;
  for (const KnownRegistry& one : registries) {
    const bool fits = is_below(whole_name, one.prefix);
    if (fits && (best == nullptr || one.prefix.size() > best->prefix.size())) best = &one;
  }
  return best;
}

Result<RegistriesConf> parse_registries_conf(std::string_view text, std::string_view file_name) {
  const Value document = TRY(parse_document(text, file_name, kMostBytes));
  const Table& root = std::get<Table>(document.data);
  RegistriesConf conf;
  const Value* const search = find_value(root, "unqualified-search-registries");
  if (const auto* list = search == nullptr ? nullptr : std::get_if<Array>(&search->data)) {
    for (const Value& one : *list) {
      if (const auto* host = std::get_if<std::string>(&one.data)) conf.search.push_back(*host);
    }
  }
  const Value* const aliases = find_value(root, "aliases");
  if (const auto* table = aliases == nullptr ? nullptr : std::get_if<Table>(&aliases->data)) {
    for (const auto& [name, entry] : table->entries) {
      const auto* const target = std::get_if<std::string>(&entry.value.data);
      if (target != nullptr && !target->empty()) conf.aliases[name] = *target;
    }
  }
  const Value* const registries = find_value(root, "registry");
  if (const auto* list = registries == nullptr ? nullptr : std::get_if<Array>(&registries->data)) {
    for (const Value& one : *list) {
      if (const auto* table = std::get_if<Table>(&one.data)) {
        conf.registries.push_back(read_registry(*table));
      }
    }
  }
  return conf;
}

std::string relocate(const KnownRegistry& registry, std::string_view whole_name) {
  const bool is_moved = !registry.location.empty() && !registry.prefix.starts_with("*.");
  if (!is_moved) return std::string(whole_name);
  return registry.location + std::string(whole_name.substr(registry.prefix.size()));
}

}  // namespace slipway::spec
