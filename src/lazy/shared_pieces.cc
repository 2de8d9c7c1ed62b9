#include "lazy/shared_pieces.h"

#include <map>
#include <nlohmann/json.hpp>

#include "base/digest.h"

namespace slipway::lazy {
namespace {

using Json = nlohmann::json;

struct Piece {
  std::uint64_t begin = 0, end = 0;
  Digest told;  ///< of what the table says of it
  std::uint64_t size() const { return end - begin; }
};

Error corrupt() {
  return make_error(ErrorKind::Corrupt, "table of contents has an offset that makes no sense");
}

/// What stands in the tar before the contents.
std::string header_of(Json entry) {
  for (const char* key : {"offset", "digest", "chunkDigest"}) entry.erase(key);
  return entry.dump();
}

/// From one offset that the table knows to the next.
Result<std::vector<Piece>> cut(const Table& table) {
  const Json json = Json::parse(table.text, nullptr, /*allow_exceptions=*/false);
  const auto entries = json.is_object() ? json.find("entries") : json.end();
  if (!json.is_object() || entries == json.end() || !entries->is_array()) return corrupt();
  std::vector<Piece> pieces;
  std::uint64_t begin = 0;
  std::string told;
  for (Json entry : *entries) {
    if (!entry.is_object()) return corrupt();
    const auto offset = entry.find("offset");
    if (offset != entry.end()) {
      if (!offset->is_number_unsigned()) return corrupt();
      const auto at = offset->get<std::uint64_t>();
      if (at >= table.toc_offset || (at != 0 && at < begin)) return corrupt();
      if (at > begin) {
        pieces.push_back({begin, at, sha256(told + header_of(entry))});
        begin = at;
        told.clear();
      }
      entry.erase("offset");
    }
    told += entry.dump();
  }
  pieces.push_back({begin, table.toc_offset, sha256(told)});
  return pieces;
}

}  // namespace

Result<std::vector<SharedPiece>> find_shared_pieces(const Table& wanted, const Table& there) {
  std::map<Digest, Piece> others;
  for (const Piece& piece : TRY(cut(there))) others.emplace(piece.told, piece);
  std::vector<SharedPiece> shared;
  for (const Piece& piece : TRY(cut(wanted))) {
    const auto other = others.find(piece.told);
    if (other == others.end() || other->second.size() != piece.size()) continue;
    const std::uint64_t other_offset = other->second.begin;
    if (!shared.empty()) {
      SharedPiece& last = shared.back();
      if (last.offset + last.size_bytes == piece.begin &&
          last.other_offset + last.size_bytes == other_offset) {
        last.size_bytes += piece.size();
        continue;
      }
    }
    shared.push_back({piece.begin, piece.size(), other_offset});
  }
  return shared;
}

}  // namespace slipway::lazy
