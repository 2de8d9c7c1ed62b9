#include "index/image_sources.h"

#include <algorithm>

#include "base/base64.h"
#include "base/file.h"
#include "index/debian_text.h"

namespace slipway::index {
namespace {

constexpr std::string_view kBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view kEnd = "-----END PGP PUBLIC KEY BLOCK-----";

bool is_web_url(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

/// Of letters, digits, `.`, `_` and `-` alone, as names in a lock are.
std::string plain_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_plain = is_letter || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    name += is_plain ? c : '-';
  }
  return name;
}

std::string archive_name(std::string_view distribution, const std::string& path) {
  const std::string name = base_name(path);
  const std::string stem = name.substr(0, name.rfind('.'));
  return name == "sources.list" ? plain_name(distribution) : plain_name(stem);
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

bool is_for(const AptEntry& entry, std::string_view architecture) {
  const auto& all = entry.architectures;
  return all.empty() || std::find(all.begin(), all.end(), architecture) != all.end();
}

/// "-updates" of "jammy-updates".
std::string_view kind_of(std::string_view suite) {
  return suite.substr(std::min(suite.find('-'), suite.size()));
}

const AptEntry* find_on_host(const DebianSource& source, std::string_view distribution,
                             std::span<const AptEntry> host) {
  if (source.name != distribution || source.components.empty()) return nullptr;
  for (const auto& entry : host) {
    if (entry.suite == source.suite && is_web_url(entry.url)) return &entry;
  }
  for (const auto& entry : host) {  // the same archive carries the other releases
    const bool is_named_so = entry.url.ends_with(fmt::format("/{}", distribution));
    if (is_named_so && kind_of(entry.suite) == kind_of(source.suite) && is_web_url(entry.url))
      return &entry;
  }
  return nullptr;
}

void add_source(DebianSource source, std::vector<DebianSource>& sources) {
  for (auto& one : sources) {
    if (one.url != source.url || one.suite != source.suite) continue;
    for (auto& component : source.components) {
      const auto end = one.components.end();
      if (std::find(one.components.begin(), end, component) == end)
        one.components.push_back(std::move(component));
    }
    return;
  }
  sources.push_back(std::move(source));
}

bool is_fingerprint(std::string_view word) {
  if (word.ends_with('!')) word.remove_suffix(1);
  return word.size() >= 16 &&
         word.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// Base64 between the armour's headers and its checksum.
Result<std::string> take_armour_off(std::string_view block) {
  std::string text;
  bool is_in_body = false;
  while (!block.empty()) {
    const auto end = std::min(block.find('\n'), block.size());
    const auto line = trimmed(block.substr(0, end));
    block.remove_prefix(std::min(end + 1, block.size()));
    // In a sources file an empty line is written as a dot.
    if (line.empty() || line == ".") {
      is_in_body = true;
    } else if (line.front() == '=') {
      break;
    } else if (is_in_body) {
      text += line;
    }
  }
  auto bytes = decode_base64(text);
  if (!bytes || bytes->empty()) return make_error(ErrorKind::Corrupt, "a key's armour is broken");
  return std::move(*bytes);
}

}  // namespace

std::vector<DebianSource> choose_image_sources(std::string_view distribution,
                                               std::string_view architecture,
                                               std::span<const ImageFile> files,
                                               std::span<const AptEntry> host) {
  std::vector<DebianSource> sources;
  for (const auto& file : files) {
    const auto entries = file.path.ends_with(".sources") ? parse_sources_stanzas(file.text)
                                                         : parse_sources_list(file.text);
    for (const auto& entry : entries) {
      if (!is_web_url(entry.url) || !is_for(entry, architecture)) continue;
      DebianSource source{archive_name(distribution, file.path), entry.url, entry.suite,
                          entry.components, entry.keyring};
      replace_all(source.url, "$(ARCH)", architecture);
      replace_all(source.suite, "$(ARCH)", architecture);
      if (const auto* ours = find_on_host(source, distribution, host)) source.url = ours->url;
      add_source(std::move(source), sources);
    }
  }
  return sources;
}

Result<KeyChoice> choose_keys(std::string_view signed_by) {
  KeyChoice choice;
  if (signed_by.find(kBegin) != std::string_view::npos) {
    choice.key = signed_by;
    return choice;
  }
  std::string words(signed_by);
  std::replace(words.begin(), words.end(), ',', ' ');
  for (const auto word : words_of(words)) {
    if (word.starts_with('/')) {
      choice.paths.emplace_back(word.substr(1));
    } else if (is_fingerprint(word)) {
      return make_error(ErrorKind::Unsupported,
                        "the archive's Signed-By names a key by its fingerprint, `{}`", word)
          .hint("name the file with the key instead");
    }
  }
  choice.is_any = choice.paths.empty();
  return choice;
}

Result<std::string> make_keyring(std::string_view bytes) {
  if (bytes.substr(0, 32).find("KBXf") != std::string_view::npos) {
    return make_error(ErrorKind::Unsupported, "it is a keybox of GnuPG")
        .hint("write the keys with `gpg --export`");
  }
  if (bytes.find(kBegin) == std::string_view::npos) return std::string(bytes);
  std::string keys;
  for (auto at = bytes.find(kBegin); at != std::string_view::npos; at = bytes.find(kBegin)) {
    bytes.remove_prefix(at + kBegin.size());
    const auto end = bytes.find(kEnd);
    if (end == std::string_view::npos) {
      return make_error(ErrorKind::Corrupt, "a key's armour has no end");
    }
    const auto block = bytes.substr(0, end);
    keys += TRY(take_armour_off(block.substr(std::min(block.find('\n') + 1, block.size()))));
    bytes.remove_prefix(end);
  }
  return keys;
}

}  // namespace slipway::index
