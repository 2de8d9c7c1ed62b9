#include "plan/archive_layer.h"

#include <fcntl.h>

#include <map>

#include "base/file.h"
#include "gpu/python_packages.h"
#include "layer/tar_reader.h"
#include "layer/whiteout.h"

namespace slipway::plan {
namespace {

constexpr std::size_t kMostText = 64 << 20;
constexpr std::string_view kElfMagic =
    "\x7f"
    "ELF";

class LayerScan {
 public:
  explicit LayerScan(const std::string& scratch) : scratch_(scratch) {}

  Result<void> visit(const layer::TarItem& item, Source& contents) {
    const std::string path = "/" + item.path;
    if (item.kind == layer::TarItem::Kind::Link) found_.links.push_back({path, item.target});
    if (item.kind == layer::TarItem::Kind::HardLink) hard_links_[path] = "/" + item.target;
    if (item.kind != layer::TarItem::Kind::File) return {};
    const std::string name = base_name(path);
    if (const auto whiteout = layer::read_whiteout(name)) {
      const std::string folder = parent_path(path);
      if (whiteout->kind == layer::Whiteout::Kind::Opaque) found_.removed.push_back(folder);
      if (whiteout->kind == layer::Whiteout::Kind::Name)
        found_.removed.push_back(join_path(folder, whiteout->hidden));
    } else if (gpu::is_package_file(path) || gpu::is_loader_configuration(path)) {
      return take_text(path, contents);
    } else {
      return take_library(path, contents);
    }
    return {};
  }

  gpu::LayerLibraries finish() {
    for (const auto& [path, target] : hard_links_) add_hard_link(path, target);
    gpu::finish_layer(package_files_, found_);
    return std::move(found_);
  }

 private:
  Result<void> take_text(const std::string& path, Source& contents) {
    StringSink text;
    std::byte buffer[16384];
    while (const std::size_t got = TRY(contents.read(buffer))) {
      TRY(text.write(Bytes(buffer, got)));
      if (text.text.size() > kMostText)
        return make_error(ErrorKind::Corrupt, "`{}` is larger than any real one", path);
    }
    if (gpu::is_package_file(path)) {
      package_files_.push_back({path, std::move(text.text)});
    } else {
      found_.loader_configurations.push_back({path, std::move(text.text)});
    }
    return {};
  }

  /// A file that begins as ELF goes to the disk for a moment: its headers point to its end.
  Result<void> take_library(const std::string& path, Source& contents) {
    std::vector<std::byte> buffer(1 << 18);
    std::size_t got = 0;
    while (got < kElfMagic.size()) {
      const std::size_t more = TRY(contents.read(std::span(buffer).subspan(got)));
      if (more == 0) return {};
      got += more;
    }
    if (!as_text(Bytes(buffer).subspan(0, got)).starts_with(kElfMagic)) return {};
    const UniqueFd fd = TRY(open_file(scratch_, O_TMPFILE | O_RDWR | O_CLOEXEC));
    FdSink out(fd.get());
    TRY(out.write(Bytes(buffer).subspan(0, got)));
    TRY(copy(contents, out));
    auto file = gpu::read_elf_file(fd.get());
    if (file.ok() && file->has_value())
      found_.elves.push_back({path,
                              std::move((*file)->facts),
                              std::move((*file)->code),
                              {},
                              std::move((*file)->symbols)});
    if (!file.ok() && file.error().kind != ErrorKind::Corrupt) return std::move(file).error();
    if (!file.ok()) found_.unreadable.push_back(fmt::format("{}: {}", path, file.error().message));
    return {};
  }

  void add_hard_link(const std::string& path, const std::string& target) {
    for (std::size_t i = 0; i < found_.elves.size(); ++i) {
      if (found_.elves[i].path != target) continue;
      gpu::LibraryFile file = found_.elves[i];
      file.path = path;
      found_.elves.push_back(std::move(file));
      return;
    }
  }

  const std::string& scratch_;
  gpu::LayerLibraries found_;
  std::map<std::string, std::string> hard_links_;
  std::vector<gpu::PackageFile> package_files_;
};

}  // namespace

Result<gpu::LayerLibraries> scan_layer_tar(const std::string& file, const std::string& scratch,
                                           const Tools& tools) {
  LayerScan scan(scratch);
  TRY(layer::read_tar_file(file, tools.cancel, [&](const layer::TarItem& item, Source& contents) {
    return scan.visit(item, contents);
  }));
  return scan.finish();
}

}  // namespace slipway::plan
