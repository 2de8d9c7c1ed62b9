#include "store/files.h"
#include "store/store.h"

namespace slipway::store {
namespace {

/// `slipway <sha256 of the rest>\n<the rest>`: no sync is needed, since what a crash spoils shows.
std::string seal(std::string_view text) {
  return fmt::format("slipway {}\n{}", sha256(text).hex(), text);
}

std::optional<std::string> unseal(const std::string& sealed) {
  constexpr std::size_t kHeader = 8 + 64 + 1;
  if (sealed.size() < kHeader) return {};
  std::string text = sealed.substr(kHeader);
  if (sealed.compare(0, kHeader, seal(text), 0, kHeader) != 0) return {};
  return text;
}

Result<std::optional<std::string>> find_sealed(const std::string& path) {
  const Result<std::string> sealed = read_file(path);
  if (sealed.ok()) return unseal(*sealed);
  if (sealed.error().kind == ErrorKind::NotFound) return std::optional<std::string>();
  return sealed.error();
}

std::string known_path(std::string_view kind, const Digest& key) {
  SLIPWAY_CHECK(Store::is_word(kind));
  return fmt::format("known/{}/{}", kind, key.hex());
}

}  // namespace

Result<std::optional<std::string>> Store::find_known(std::string_view kind,
                                                     const Digest& key) const {
  return find_sealed(inside(known_path(kind, key)));
}

Result<void> Store::put_known(std::string_view kind, const Digest& key,
                              std::string_view text) const {
  return place_text(inside("tmp"), inside(known_path(kind, key)), seal(text), owner_, Durable::No);
}

Result<std::optional<std::string>> Store::find_recipe(const Digest& blob) const {
  return find_sealed(inside("recipes/" + blob.hex()));
}

Result<void> Store::put_recipe(const Digest& blob, std::string_view text) const {
  return place_text(inside("tmp"), inside("recipes/" + blob.hex()), seal(text), owner_,
                    Durable::No);
}

}  // namespace slipway::store
