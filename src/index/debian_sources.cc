#include "index/debian_sources.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "defaults.h"
#include "index/debian_text.h"

namespace slipway::index {
namespace {

std::string without_slash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

std::vector<std::string> to_strings(std::span<const std::string_view> words) {
  return {words.begin(), words.end()};
}

bool is_flat(std::string_view suite, std::size_t components) {
  return components == 0 && suite.ends_with('/');
}

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

/// `[arch=amd64 signed-by=/path]` at the front of the words; takes it off. False: never closed.
bool take_options(std::vector<std::string_view>& words, AptEntry& entry) {
  if (words.empty() || !words.front().starts_with('[')) return true;
  bool closed = false;
  std::size_t used = 0;
  for (; used < words.size() && !closed; ++used) {
    auto word = words[used];
    if (word.starts_with('[')) word.remove_prefix(1);
    closed = word.ends_with(']');
    if (closed) word.remove_suffix(1);
    if (word.starts_with("signed-by=")) entry.keyring = word.substr(10);
    if (word.starts_with("arch=")) entry.architectures = split_at_commas(word.substr(5));
  }
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(used));
  return closed;
}

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Debian's own: signed by its keyring, or by nobody in particular, in which case gpgv will see.
bool may_be_debian(const AptEntry& entry) {
  const auto& components = entry.components;
  if (std::find(components.begin(), components.end(), "main") == components.end()) return false;
  return entry.keyring.empty() || base_name(entry.keyring).starts_with("debian-archive");
}

bool is_web_url(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

/// "", "-updates" or "-security": which of a release's suites this is. Nothing for the rest, as
/// "bookworm-backports" or "bookworm-pgdg".
std::optional<std::string_view> suite_kind(std::string_view suite) {
  const auto dash = suite.find('-');
  if (dash == std::string_view::npos) return "";
  const auto rest = suite.substr(dash);
  if (rest == "-updates" || rest == "-security") return rest;
  return std::nullopt;
}

const AptEntry* find_entry(std::string_view suite, std::span<const AptEntry> entries) {
  for (const auto& entry : entries) {
    if (entry.suite == suite && may_be_debian(entry) && is_web_url(entry.url)) return &entry;
  }
  for (const auto& entry : entries) {  // the same archive carries the other releases
    const bool same_kind = suite_kind(entry.suite) == suite_kind(suite);
    const bool named_so = entry.url.ends_with("/debian") || entry.url.ends_with("/debian-security");
    if (same_kind && named_so && may_be_debian(entry) && is_web_url(entry.url)) return &entry;
  }
  return nullptr;
}

/// `mirror+file:/path` and `mirror+file:///path`: the first address in that file.
void follow_mirror_file(AptEntry& entry) {
  constexpr std::string_view kScheme = "mirror+file:";
  if (!entry.url.starts_with(kScheme)) return;
  auto path = entry.url.substr(kScheme.size());
  while (path.starts_with("//")) path.erase(0, 1);
  const auto text = slipway::read_file(path);
  if (!text) return;
  for (const auto word : words_of(*text)) {
    if (is_web_url(word)) {
      entry.url = without_slash(word);
      return;
    }
  }
}

}  // namespace

std::vector<AptEntry> read_host_apt_entries() {
  std::vector<AptEntry> entries;
  const auto add = [&](const std::string& path, auto parse) {
    const auto text = read_file(path);
    if (!text) return;
    for (auto& entry : parse(*text)) {
      follow_mirror_file(entry);
      entries.push_back(std::move(entry));
    }
  };
  add("/etc/apt/sources.list", parse_sources_list);
  const std::string folder = "/etc/apt/sources.list.d";
  const auto names = list_folder(folder);
  if (!names) return entries;
  for (const auto& name : *names) {
    if (name.ends_with(".list")) add(join_path(folder, name), parse_sources_list);
    if (name.ends_with(".sources")) add(join_path(folder, name), parse_sources_stanzas);
  }
  return entries;
}

namespace {

std::vector<AptEntry> default_entries() {
  std::vector<AptEntry> entries;
  const auto add = [&](std::string_view url, std::string suite) {
    if (!url.empty()) entries.push_back({without_slash(url), std::move(suite), {"main"}, "", {}});
  };
  add(defaults::kDebianUrl, "default");
  add(defaults::kDebianUrl, "default-updates");
  add(defaults::kDebianSecurityUrl, "default-security");
  return entries;
}

}  // namespace

std::vector<AptEntry> parse_sources_list(std::string_view text) {
  std::vector<AptEntry> entries;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line = line.substr(0, line.find('#'));
    auto words = words_of(line);
    if (words.empty() || words.front() != "deb") continue;
    words.erase(words.begin());
    AptEntry entry;
    if (!take_options(words, entry) || words.size() < 2) continue;
    const bool flat = is_flat(words[1], words.size() - 2);
    if (words.size() < 3 && !flat) continue;
    entry.url = without_slash(words[0]);
    entry.suite = flat ? std::string(words[1]) : without_slash(words[1]);
    entry.components = to_strings(std::span(words).subspan(2));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<AptEntry> parse_sources_stanzas(std::string_view text) {
  std::vector<AptEntry> entries;
  bool more = true;
  while (more) {
    std::vector<std::string_view> types, urls, suites, components, architectures;
    std::string_view keyring;
    bool enabled = true;
    more = next_paragraph(text, [&](std::string_view name, std::string_view value) {
      if (same_field(name, "Types")) types = words_of(value);
      if (same_field(name, "URIs")) urls = words_of(value);
      if (same_field(name, "Suites")) suites = words_of(value);
      if (same_field(name, "Components")) components = words_of(value);
      if (same_field(name, "Architectures")) architectures = words_of(value);
      if (same_field(name, "Signed-By")) keyring = value;
      if (same_field(name, "Enabled")) enabled = !same_field(value, "no");
    });
    if (!enabled || !contains(types, "deb")) continue;
    for (const auto url : urls) {
      for (const auto suite : suites) {
        const bool flat = is_flat(suite, components.size());
        entries.push_back({without_slash(url), flat ? std::string(suite) : without_slash(suite),
                           to_strings(components), std::string(keyring),
                           to_strings(architectures)});
      }
    }
  }
  return entries;
}

std::vector<DebianSource> choose_debian_sources(std::string_view release,
                                                std::span<const AptEntry> entries,
                                                std::span<const AptEntry> defaults) {
  std::vector<DebianSource> sources;
  for (const std::string_view kind : {"", "-updates", "-security"}) {
    const auto suite = fmt::format("{}{}", release, kind);
    const auto* entry = find_entry(suite, entries);
    if (entry == nullptr) entry = find_entry(suite, defaults);
    if (entry == nullptr) continue;
    sources.push_back(
        {kind == "-security" ? "debian-security" : "debian",
         entry->url,
         suite,
         {"main"},
         entry->keyring.starts_with('/') ? entry->keyring : std::string(kDebianKeyring)});
  }
  return sources;
}

Result<std::vector<DebianSource>> read_host_debian_sources(std::string_view release) {
  auto sources = choose_debian_sources(release, read_host_apt_entries(), default_entries());
  if (sources.empty() || sources.front().suite != release) {
    return make_error(ErrorKind::NotFound, "this machine names no archive for Debian `{}`", release)
        .hint("give the index `debian` an address in Slipway's configuration");
  }
  return sources;
}

}  // namespace slipway::index
