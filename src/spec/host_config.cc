#include "spec/host_config.h"

#include "spec/names.h"
#include "spec/reader.h"

namespace slipway::spec {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

/// Without the slashes at the end; nothing, and reported, where it is no URL.
std::string read_url(TableReader& table, const Read<std::string>& text) {
  if (const auto fault = check_url(text.value)) {
    table.problem(text.at, fmt::format("`{}`: {}", text.key, fault->message), fault->hint);
    return {};
  }
  std::string url = text.value;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

HostIndex read_index(TableReader& table) {
  HostIndex index;
  if (const auto url = table.text("url")) index.url = read_url(table, *url);
  for (const auto& snapshot : table.text_or_texts("snapshot")) {
    index.snapshots.push_back(read_url(table, snapshot));
  }
  table.not_yet({"keyring", "token", "user", "password", "kind"});
  table.refuse_the_rest();
  return index;
}

/// `host[:port][/path]`, as it stands in front of an image's name.
std::string read_registry_name(TableReader& table, const Read<std::string>& text) {
  const bool is_url = text.value.find("://") != std::string::npos;
  if (is_url || text.value.empty() || text.value.starts_with('/') || text.value.ends_with('/')) {
    table.problem(text.at, fmt::format("`{}`: `{}` is no registry", text.key, text.value),
                  "write it as in an image's name: `host`, `host:5000` or `host/path`");
    return {};
  }
  return text.value;
}

void read_registry(TableReader& table, HostConfig& config) {
  if (const auto name = table.text("default")) {
    config.default_registry = read_registry_name(table, *name);
  }
  for (const auto& name : table.texts("insecure")) {
    config.insecure_registries.push_back(read_registry_name(table, name));
  }
  table.refuse_the_rest();
}

}  // namespace

Result<HostConfig> parse_host_config(std::string_view text, std::string_view file_name) {
  const Value document = TRY(parse_document(text, file_name, kMostBytes));
  Problems problems(file_name);
  TableReader root(std::get<Table>(document.data), Position{}, "", problems);
  HostConfig config;
  if (auto indexes = root.table("index")) {
    for (auto& [name, table] : indexes->all_tables()) {
      if (const auto fault = check_plain_name(name)) {
        problems.add(table.at(), "`index`: " + fault->message, fault->hint);
      }
      config.indexes.emplace(name, read_index(table));
    }
  }
  if (auto bundle = root.table("bundle")) {
    for (auto& folder : bundle->texts("folders")) {
      if (!folder.value.starts_with('/') && !folder.value.starts_with("~/")) {
        problems.add(folder.at, fmt::format("`{}`: `{}` is not absolute", folder.key, folder.value),
                     "begin it with `/` or `~/`");
      }
      config.bundles.push_back(std::move(folder.value));
    }
    bundle->refuse_the_rest();
  }
  if (auto registry = root.table("registry")) read_registry(*registry, config);
  root.not_yet({"proxy", "cache", "store", "gateway"});
  root.refuse_the_rest();
  TRY(problems.result());
  return config;
}

}  // namespace slipway::spec
