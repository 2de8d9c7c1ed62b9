#include "layer/stargz_toc.h"

#include "base/check.h"
#include "base/utc_time.h"
#include "base/utf8.h"
#include "layer/layout.h"

namespace slipway::layer {
namespace {

std::string_view type_name(TarType type) {
  switch (type) {
    case TarType::File:
      return "reg";
    case TarType::HardLink:
      return "hardlink";
    case TarType::Link:
      return "symlink";
    case TarType::Folder:
      return "dir";
  }
  return {};
}

const std::string kModified = utc_time_text(UtcTime(std::chrono::seconds(kLayerTime)));

}  // namespace

bool is_stargz_name(std::string_view path) {
  return path == kTocName || path == kNoPrefetchName || path == kPrefetchName;
}

StargzToc::StargzToc() {
  json_.begin_object();
  json_.key("version");
  json_.number(1);
  json_.key("entries");
  json_.begin_array();
}

void StargzToc::begin_entry(const TarEntry& entry) {
  if (!is_utf8(entry.path) || !is_utf8(entry.target)) can_tell_all_ = false;
  json_.begin_object();
  std::string name(entry.path);
  if (entry.type == TarType::Folder) name += '/';
  json_.member("name", name);
  json_.member("type", type_name(entry.type));
  if (entry.size_bytes > 0) {
    json_.key("size");
    json_.number(entry.size_bytes);
  }
  json_.member("modtime", kModified);
  json_.member("linkName", entry.target);
  json_.key("mode");
  json_.number(entry.mode);
  if (entry.uid > 0) {
    json_.key("uid");
    json_.number(entry.uid);
  }
  if (entry.gid > 0) {
    json_.key("gid");
    json_.number(entry.gid);
  }
}

void StargzToc::add(const TarEntry& entry) {
  begin_entry(entry);
  json_.end_object();
}

void StargzToc::add_file(const TarEntry& entry, std::uint64_t offset, const Digest& contents) {
  begin_entry(entry);
  json_.key("offset");
  json_.number(offset);
  // One chunk, so both say the same; readers differ in which one they want.
  json_.member("digest", contents.text());
  json_.member("chunkDigest", contents.text());
  json_.end_object();
}

std::string StargzToc::take_text() {
  json_.end_array();
  json_.end_object();
  return json_.take();
}

std::string make_stargz_footer(std::uint64_t toc_offset) {
  // RFC 1952: FEXTRA with one subfield `SG`, then an empty stored block, a CRC and a size of zero.
  std::string footer("\x1f\x8b\x08\x04\0\0\0\0\0\xff\x1a\0SG\x16\0", 16);
  footer += fmt::format("{:016x}STARGZ", toc_offset);
  footer += std::string_view("\x01\0\0\xff\xff\0\0\0\0\0\0\0\0", 13);
  SLIPWAY_CHECK(footer.size() == kStargzFooterBytes);
  return footer;
}

}  // namespace slipway::layer
