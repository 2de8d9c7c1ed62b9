#include "plan/known_layers.h"

#include <algorithm>
#include <charconv>

namespace slipway::plan {
namespace {

constexpr std::string_view kKind = "layer";

/// `<blob> <diff_id> <table of contents, or -> <size> <unpacked size> <size of the tar>`
std::string write_facts(const layer::LayerFacts& facts) {
  return fmt::format("{} {} {} {} {} {}\n", facts.digest.hex(), facts.diff_id.hex(),
                     facts.toc ? facts.toc->hex() : "-", facts.size_bytes, facts.unpacked_bytes,
                     facts.tar_bytes);
}

std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

bool read_word(std::string_view& text, Digest& digest) {
  const auto parsed = parse_digest(take_word(text));
  if (parsed.ok()) digest = *parsed;
  return parsed.ok();
}

bool read_word(std::string_view& text, std::uint64_t& number) {
  const std::string_view word = take_word(text);
  const char* const end = word.data() + word.size();
  return !word.empty() && std::from_chars(word.data(), end, number).ptr == end;
}

std::optional<layer::LayerFacts> parse_facts(std::string_view text) {
  layer::LayerFacts facts;
  if (!read_word(text, facts.digest) || !read_word(text, facts.diff_id)) return std::nullopt;
  if (text.starts_with('-')) {
    take_word(text);
  } else if (!read_word(text, facts.toc.emplace())) {
    return std::nullopt;
  }
  const bool has_sizes = read_word(text, facts.size_bytes) &&
                         read_word(text, facts.unpacked_bytes) && read_word(text, facts.tar_bytes);
  return has_sizes && text.empty() ? std::optional(facts) : std::nullopt;
}

}  // namespace

Result<void> remember_layer(const store::Store& store, const Digest& key,
                            const layer::LayerFacts& facts) {
  return store.put_known(kKind, key, write_facts(facts));
}

Result<std::optional<layer::LayerFacts>> find_layer(const store::Store& store, const Digest& key) {
  const auto text = TRY(store.find_known(kKind, key));
  if (!text) return std::optional<layer::LayerFacts>();
  const auto facts = parse_facts(*text);
  if (!facts || !store.has_layer(facts->diff_id)) return std::optional<layer::LayerFacts>();
  if (!store.has_blob(facts->digest) && !TRY(store.find_recipe(facts->digest))) {
    return std::optional<layer::LayerFacts>();
  }
  return facts;
}

}  // namespace slipway::plan
