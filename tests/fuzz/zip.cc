/// Any bytes as a wheel: directory, local headers, streams. Nothing may crash or read beyond.
#include <cstddef>
#include <cstdint>
#include <string>

#include "layer/inflate.h"
#include "layer/zip_directory.h"

using namespace slipway;
using namespace slipway::layer;

namespace {

void read_member(Bytes file, const ZipMember& member) {
  const Bytes rest = file.subspan(static_cast<std::size_t>(member.offset));
  const Result<ZipLocal> local = parse_zip_local(rest);
  if (!local.ok()) return;
  const std::size_t header_bytes = kZipLocalBytes + local->name_bytes + local->extra_bytes;
  if (rest.size() < header_bytes) return;
  const Result<void> checked = check_zip_local(rest.first(header_bytes), member);
  if (!checked.ok() || rest.size() - header_bytes < member.compressed_bytes) return;
  const Bytes raw = rest.subspan(header_bytes, static_cast<std::size_t>(member.compressed_bytes));
  if (member.size_bytes > 1u << 20 || member.method != ZipMethod::Deflate) return;

  // Both decoders must judge alike, however the pieces are cut.
  static Inflater inflater;
  std::string whole(static_cast<std::size_t>(member.size_bytes), '\0'), pieces = whole;
  const bool is_good = inflater.inflate_whole(raw, std::as_writable_bytes(std::span(whole))).ok();
  inflater.start(raw.size(), whole.size());
  std::size_t filled = 0;
  bool failed = false;
  for (std::size_t taken = 0; !failed;) {
    Bytes in = raw.subspan(taken, std::min<std::size_t>(raw.size() - taken, 1000));
    const std::size_t before = in.size();
    const auto made = inflater.inflate(
        in, std::as_writable_bytes(std::span(pieces))
                .subspan(filled, std::min<std::size_t>(pieces.size() - filled, 700)));
    failed = !made.ok();
    if (failed) break;
    filled += *made;
    taken += before - in.size();
    if (*made == 0 && in.size() == before && (taken == raw.size() || before > 0)) break;
  }
  failed = failed || !inflater.finish().ok();
  if (is_good && (failed || whole != pieces)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes file = std::as_bytes(std::span(data, size));
  const Result<ZipEnd> end = parse_zip_end(file, size);
  if (!end.ok()) return 0;
  const auto directory = file.subspan(static_cast<std::size_t>(end->directory_offset),
                                      static_cast<std::size_t>(end->directory_bytes));
  const auto members = parse_zip_directory(directory, *end);
  if (!members.ok()) return 0;
  for (const ZipMember& member : *members) read_member(file, member);
  return 0;
}
