#include "index/pip_configuration.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cctype>

#include "base/environment.h"
#include "base/file.h"
#include "defaults.h"

namespace slipway::index {
namespace {

constexpr const char* kName = "pypi";

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// pip takes `index_url`, `INDEX-URL` and `index-url` for the same.
std::string normal_key(std::string_view key) {
  std::string out(trim(key));
  for (char& c : out) {
    c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string in_home(std::string_view path) {
  return join_path(find_environment("HOME").value_or("/"), path);
}

std::string user_config_folder() {
  return find_environment("XDG_CONFIG_HOME").value_or(in_home(".config"));
}

/// Colon-separated, most important first (XDG Base Directory Specification).
std::vector<std::string> system_config_folders() {
  std::vector<std::string> folders;
  const std::string all = find_environment("XDG_CONFIG_DIRS").value_or("/etc/xdg");
  for (std::size_t at = 0; at <= all.size();) {
    const auto end = std::min(all.find(':', at), all.size());
    if (end > at) folders.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return folders;
}

/// Most important first; the reverse of the order in which pip loads them.
std::vector<std::string> pip_files() {
  std::vector<std::string> files;
  const auto chosen = find_environment("PIP_CONFIG_FILE");
  if (chosen == "/dev/null") return files;  // pip: then no file counts
  if (chosen) files.push_back(*chosen);
  if (auto folder = find_environment("VIRTUAL_ENV"))
    files.push_back(join_path(*folder, "pip.conf"));
  files.push_back(join_path(user_config_folder(), "pip/pip.conf"));
  files.push_back(in_home(".pip/pip.conf"));
  files.emplace_back("/etc/pip.conf");
  for (const auto& folder : system_config_folders()) {
    files.push_back(join_path(folder, "pip/pip.conf"));
  }
  return files;
}

std::vector<std::string> uv_files() {
  std::vector<std::string> files;
  if (auto file = find_environment("UV_CONFIG_FILE")) return {*file};
  files.push_back(join_path(user_config_folder(), "uv/uv.toml"));
  for (const auto& folder : system_config_folders()) {
    files.push_back(join_path(folder, "uv/uv.toml"));
  }
  files.emplace_back("/etc/uv/uv.toml");
  return files;
}

/// pip reads the section of the command before [global], whichever file each is in.
std::optional<std::string> find_pip_setting(std::string_view key) {
  std::vector<PipFile> files;
  for (const std::string& path : pip_files()) {
    if (const auto text = read_file(path); text.ok()) files.push_back(PipFile::parse(text.value()));
  }
  for (const char* section : {"install", "global"}) {
    for (const PipFile& file : files) {
      if (auto value = file.find(section, key)) return value;
    }
  }
  return std::nullopt;
}

/// uv writes an index as `URL` or `name=URL`.
std::string without_index_name(std::string text) {
  const auto equals = text.find('=');
  const auto slashes = text.find("://");
  if (equals != std::string::npos && slashes != std::string::npos && equals < slashes) {
    return text.substr(equals + 1);
  }
  return text;
}

Result<std::optional<std::string>> find_uv_index() {
  for (const std::string& path : uv_files()) {
    const auto text = read_file(path);
    if (!text.ok()) continue;
    auto url = TRY_WHILE("reading `" + path + "`", parse_uv_default_index(text.value()));
    if (url) return url;
  }
  return std::optional<std::string>();
}

}  // namespace

PipFile PipFile::parse(std::string_view text) {
  PipFile file;
  std::string section;
  bool continues = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto content = trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    if ((line.front() == ' ' || line.front() == '\t') && continues) {
      std::string& value = file.items_.back().value;
      if (!value.empty()) value += '\n';
      value += content;
      continue;
    }
    continues = false;
    if (content.front() == '[' && content.back() == ']') {
      section = trim(content.substr(1, content.size() - 2));
      continue;
    }
    const auto separator = content.find_first_of("=:");
    if (separator == std::string_view::npos) continue;
    file.items_.push_back({section, normal_key(content.substr(0, separator)),
                           std::string(trim(content.substr(separator + 1)))});
    continues = true;
  }
  return file;
}

std::optional<std::string> PipFile::find(std::string_view section, std::string_view key) const {
  const auto found = std::find_if(items_.rbegin(), items_.rend(), [&](const Item& item) {
    return item.section == section && item.key == key;
  });
  if (found == items_.rend() || found->value.empty()) return std::nullopt;
  return found->value;
}

Result<std::optional<std::string>> parse_uv_default_index(std::string_view text) {
  try {
    const toml::table table = toml::parse(text);
    if (const auto* indexes = table["index"].as_array()) {
      for (const auto& item : *indexes) {
        const auto* index = item.as_table();
        if (index == nullptr || !(*index)["default"].value_or(false)) continue;
        if (auto url = (*index)["url"].value<std::string>()) return url;
      }
    }
    if (auto url = table["index-url"].value<std::string>()) return url;
    return table["pip"]["index-url"].value<std::string>();
  } catch (const toml::parse_error& error) {
    return make_error(ErrorKind::InvalidInput, "line {}: {}", error.source().begin.line,
                      error.description());
  }
}

Result<IndexConfig> read_host_pypi_index() {
  if (auto url = find_environment("PIP_INDEX_URL")) return IndexConfig{kName, *url};
  for (const char* name : {"UV_DEFAULT_INDEX", "UV_INDEX_URL"}) {
    if (auto url = find_environment(name)) return IndexConfig{kName, without_index_name(*url)};
  }
  if (auto url = find_pip_setting("index-url")) return IndexConfig{kName, *url};
  if (auto url = TRY(find_uv_index())) return IndexConfig{kName, *url};
  if (!defaults::kPypiUrl.empty()) return IndexConfig{kName, std::string(defaults::kPypiUrl)};
  return make_error(ErrorKind::NotFound, "nothing says where the Python package index is")
      .hint("set `PIP_INDEX_URL`, or `index-url` in the [global] section of pip.conf");
}

Result<HostNetwork> read_host_network() {
  return HostNetwork{find_pip_setting("cert").value_or(""), find_pip_setting("proxy").value_or("")};
}

}  // namespace slipway::index
