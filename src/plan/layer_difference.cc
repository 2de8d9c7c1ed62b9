#include "plan/layer_difference.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

#include "base/file.h"
#include "layer/decompress.h"
#include "layer/tar_reader.h"
#include "layer/tar_stream.h"

namespace slipway::plan {
namespace {

using layer::TarItem;

constexpr std::size_t kChunkBytes = 64 << 10;

/// A tar file, entry by entry.
class TarFile {
 public:
  explicit TarFile(UniqueFd fd)
      : fd_(std::move(fd)), bytes_(fd_.get()), plain_(bytes_), tar_(plain_) {}
  layer::TarStream& tar() { return tar_; }

 private:
  UniqueFd fd_;
  FdSource bytes_;
  layer::Decompressed plain_;
  layer::TarStream tar_;
};

Result<std::vector<std::string>> list_paths(const std::string& file, const CancelToken& cancel) {
  std::vector<std::string> paths;
  TRY(layer::read_tar_file(file, cancel, [&](const TarItem& item, Source&) -> Result<void> {
    paths.push_back(item.path);
    return {};
  }));
  return paths;
}

/// The first of `paths` that `others` lacks.
std::optional<std::string> find_lone(const std::vector<std::string>& paths,
                                     const std::vector<std::string>& others) {
  const std::set<std::string_view> known(others.begin(), others.end());
  const auto lone =
      std::ranges::find_if(paths, [&](const std::string& path) { return !known.contains(path); });
  return lone == paths.end() ? std::nullopt : std::optional(*lone);
}

std::string what_differs(const TarItem& a, const TarItem& b) {
  if (a.path != b.path) return fmt::format("`{}` lies where the other has `{}`", a.path, b.path);
  const std::string path = fmt::format("`{}`", a.path);
  if (a.kind != b.kind) return path + " is another kind of file";
  if (a.mode != b.mode) return fmt::format("{} has mode {:04o} and {:04o}", path, a.mode, b.mode);
  if (a.uid != b.uid || a.gid != b.gid) {
    return fmt::format("{} belongs to {}:{} and {}:{}", path, a.uid, a.gid, b.uid, b.gid);
  }
  if (a.size_bytes != b.size_bytes) {
    return fmt::format("{} has {} bytes and {}", path, a.size_bytes, b.size_bytes);
  }
  if (a.target != b.target)
    return fmt::format("{} leads to `{}` and `{}`", path, a.target, b.target);
  if (a.time_seconds != b.time_seconds || a.time_nanoseconds != b.time_nanoseconds) {
    return fmt::format("{} has time {} and {}", path, a.time_seconds, b.time_seconds);
  }
  return a.attributes == b.attributes ? std::string() : path + " has other attributes";
}

/// Where the contents at which both stand first differ.
Result<std::optional<std::uint64_t>> find_other_byte(Source& a, Source& b) {
  std::vector<std::byte> left(kChunkBytes), right(kChunkBytes);
  for (std::uint64_t at = 0;; at += kChunkBytes) {
    const std::size_t size = TRY(read_full(a, left));
    if (TRY(read_full(b, right)) != size) return std::optional(at);
    const auto differ = std::mismatch(
        left.begin(), left.begin() + static_cast<std::ptrdiff_t>(size), right.begin());
    const auto same = static_cast<std::size_t>(differ.first - left.begin());
    if (same < size) return std::optional(at + same);
    if (size < kChunkBytes) return std::optional<std::uint64_t>();
  }
}

}  // namespace

Result<std::string> find_difference(const std::string& one, const std::string& other,
                                    const CancelToken& cancel) {
  const auto paths = TRY(list_paths(one, cancel));
  const auto others = TRY(list_paths(other, cancel));
  if (const auto lone = find_lone(paths, others)) {
    return fmt::format("`{}` is in the first only", *lone);
  }
  if (const auto lone = find_lone(others, paths)) {
    return fmt::format("`{}` is in the second only", *lone);
  }
  TarFile a(TRY(open_file(one, O_RDONLY)));
  TarFile b(TRY(open_file(other, O_RDONLY)));
  for (;;) {
    TRY(cancel.check());
    const auto left = TRY(a.tar().next());
    const auto right = TRY(b.tar().next());
    if (!left && !right) return std::string("nothing: they are packed in two ways");
    if (!left || !right) return std::string("one of them ends before the other");
    if (std::string text = what_differs(*left, *right); !text.empty()) return text;
    if (const auto at = TRY(find_other_byte(a.tar(), b.tar()))) {
      return fmt::format("`{}` has other bytes from {} on", left->path, *at);
    }
  }
}

}  // namespace slipway::plan
