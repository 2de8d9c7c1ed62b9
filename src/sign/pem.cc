#include "sign/pem.h"

#include "base/base64.h"

namespace slipway::sign {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::string_view kDashes = "-----";

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (line.ends_with('\r') || line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
  return line;
}

/// The label of `-----BEGIN PUBLIC KEY-----`; empty for any other line.
std::string_view label_of(std::string_view line) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  if (!line.starts_with(kBegin) || !line.ends_with(kDashes)) return {};
  line.remove_prefix(kBegin.size());
  return line.size() < kDashes.size() ? line.substr(0, 0)
                                      : line.substr(0, line.size() - kDashes.size());
}

}  // namespace

Result<std::vector<PemBlock>> parse_pem(std::string_view text) {
  std::vector<PemBlock> blocks;
  while (!text.empty()) {
    PemBlock block{std::string(label_of(take_line(text))), {}, false};
    if (block.label.empty()) continue;
    const std::string last = fmt::format("-----END {}-----", block.label);
    std::string packed;
    bool has_ended = false;
    while (!text.empty() && !has_ended) {
      const std::string_view line = take_line(text);
      has_ended = line == last;
      if (has_ended) continue;
      if (line.find(':') != std::string_view::npos) {
        block.has_headers = true;
      } else {
        packed += line;
      }
    }
    if (!has_ended) {
      return make_error(ErrorKind::Corrupt, "its `{}` does not end", block.label);
    }
    auto bytes = decode_base64(packed);
    if (!bytes) return make_error(ErrorKind::Corrupt, "its `{}` is not base64", block.label);
    block.bytes = std::move(*bytes);
    blocks.push_back(std::move(block));
  }
  return blocks;
}

std::string encode_pem(std::string_view label, std::string_view bytes) {
  const std::string packed = encode_base64(bytes);
  std::string text = fmt::format("-----BEGIN {}-----\n", label);
  for (std::size_t i = 0; i < packed.size(); i += kLine) text += packed.substr(i, kLine) + "\n";
  return text + fmt::format("-----END {}-----\n", label);
}

}  // namespace slipway::sign
