#include "gpu/testing/fat_writer.h"

#include <cstdio>
#include <tuple>

namespace slipway::gpu {
namespace {

void number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

std::string make_entry(const CodeGroup& group) {
  const bool is_ptx = group.kind == CodeKind::Ptx;
  const std::uint64_t payload = group.bytes / group.count;
  unsigned major = 1, minor = 7;
  if (is_ptx) std::ignore = std::sscanf(group.ptx_version.c_str(), "%u.%u", &major, &minor);
  std::uint64_t flags = 0x11;
  if (group.target.variant == CodeVariant::Exact) flags |= 0x100000;
  std::string out;
  number(out, is_ptx ? 1 : 2, 2);
  number(out, 0x101, 2);
  number(out, 72, 4);
  number(out, payload, 8);
  number(out, 0, 8);
  number(out, minor, 2);
  number(out, major, 2);
  const ComputeCapability capability = group.target.capability;
  number(out, static_cast<std::uint64_t>(capability.major * 10 + capability.minor), 4);
  number(out, 0, 8);
  number(out, flags, 8);
  out.resize(72);
  out.append(payload, 'x');
  return out;
}

}  // namespace

std::string make_fat_binary(const std::vector<CodeGroup>& groups) {
  std::string body;
  for (const CodeGroup& group : groups) {
    for (std::uint32_t i = 0; i < group.count; ++i) body += make_entry(group);
  }
  std::string out;
  number(out, 0xba55ed50, 4);
  number(out, 1, 2);
  number(out, 16, 2);
  number(out, body.size(), 8);
  return out + body;
}

CodeGroup sass(std::string_view target) {
  return {CodeKind::Sass, parse_code_target(target).value(), "", 1, 64};
}

CodeGroup ptx(std::string_view target, std::string version) {
  return {CodeKind::Ptx, parse_code_target(target).value(), std::move(version), 1, 64};
}

}  // namespace slipway::gpu
