#include "layer/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/file.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kBlockBytes = 1 << 18;

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

class Contents final : public Source {
 public:
  explicit Contents(archive* reader) : reader_(reader) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const la_ssize_t got = archive_read_data(reader_, buffer.data(), buffer.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    const char* const why = archive_error_string(reader_);
    return make_error(ErrorKind::Corrupt, "a file in a tar cannot be read: {}",
                      why == nullptr ? "no reason given" : why);
  }

 private:
  archive* reader_;
};

/// Without `.` and empty parts; nothing where there is a `..`.
std::optional<std::string> clean_path(const char* text) {
  std::string path;
  std::string_view rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
    if (part == "..") return std::nullopt;
    if (part.empty() || part == ".") continue;
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

Result<TarItem> read_item(archive_entry* entry) {
  TarItem item;
  const auto path = clean_path(archive_entry_pathname(entry));
  if (!path) return make_error(ErrorKind::Corrupt, "a path in it leads outside");
  item.path = *path;
  if (const char* const target = archive_entry_hardlink(entry)) {
    const auto clean = clean_path(target);
    if (!clean) return make_error(ErrorKind::Corrupt, "a hard link in it leads outside");
    item.kind = TarItem::Kind::HardLink;
    item.target = *clean;
    return item;
  }
  const auto type = archive_entry_filetype(entry);
  if (type == AE_IFREG) item.kind = TarItem::Kind::File;
  if (type == AE_IFDIR) item.kind = TarItem::Kind::Folder;
  if (type == AE_IFLNK) {
    item.kind = TarItem::Kind::Link;
    const char* const target = archive_entry_symlink(entry);
    item.target = target == nullptr ? "" : target;
  }
  item.size_bytes = static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry)));
  return item;
}

}  // namespace

Result<void> read_tar_file(const std::string& file, const CancelToken& cancel,
                           const TarVisitor& visit) {
  TRY(file_size(file));
  const std::unique_ptr<archive, FreeArchive> reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_all(reader.get());
  const auto corrupt = [&](std::string_view why) {
    return make_error(ErrorKind::Corrupt, "`{}` is not a sound tar file: {}", file, why);
  };
  const auto its_reason = [&] {
    const char* const why = archive_error_string(reader.get());
    return corrupt(why == nullptr ? "no reason given" : why);
  };
  if (archive_read_open_filename(reader.get(), file.c_str(), kBlockBytes) != ARCHIVE_OK)
    return its_reason();
  for (archive_entry* entry = nullptr;;) {
    TRY(cancel.check());
    const int code = archive_read_next_header(reader.get(), &entry);
    if (code == ARCHIVE_EOF) return {};
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return its_reason();
    const Result<TarItem> item = read_item(entry);
    if (!item.ok()) return corrupt(item.error().message);
    Contents contents(reader.get());
    TRY(visit(item.value(), contents));
  }
}

}  // namespace slipway::layer
