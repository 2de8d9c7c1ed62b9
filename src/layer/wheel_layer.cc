#include "layer/wheel_layer.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_set>

#include "base/file.h"
#include "layer/wheel_copier.h"
#include "layer/wheel_layout.h"

namespace slipway::layer {
namespace {

struct OpenWheel {
  WheelInput input;
  ZipArchive archive;
  WheelLayout layout;
};

Result<void> check_size(const WheelInput& input, std::uint64_t file_bytes) {
  if (input.size_bytes == 0 || input.size_bytes == file_bytes) return {};
  return make_error(ErrorKind::Corrupt, "wheel `{}` has {} bytes where the lock says {}",
                    base_name(input.path), file_bytes, input.size_bytes)
      .hint("remove it from the download cache, so that it is fetched again");
}

std::vector<WheelPath> installed_paths(const WheelLayout& layout) {
  std::vector<WheelPath> paths;
  for (const InstalledFile& file : layout.files) {
    WheelPath path{file.path, 0, file.text.size(), file.mode == 0755};
    if (file.member != nullptr) {
      path.crc32 = file.member->crc32;
      path.size_bytes = file.member->size_bytes;
    } else {
      path.crc32 = crc32(0, as_bytes(file.text));
    }
    paths.push_back(std::move(path));
  }
  std::sort(paths.begin(), paths.end(),
            [](const WheelPath& a, const WheelPath& b) { return a.path < b.path; });
  return paths;
}

/// A wheel that does not fit its directory may be damaged here or have been made so; the lock
/// knows.
Error explain(Error error, const WheelInput& input) {
  if (error.kind != ErrorKind::Corrupt) return error;
  const Result<Digest> found = sha256_of_file(input.path);
  if (!found.ok() || *found == input.sha256) return error;
  return make_error(ErrorKind::Corrupt, "wheel `{}` is not the file that the lock names",
                    base_name(input.path))
      .reason(fmt::format("the lock says {}", input.sha256.text()))
      .reason(fmt::format("the file has {}", found->text()))
      .hint("remove it from the download cache, so that it is fetched again");
}

Result<OpenWheel> open_wheel(const WheelInput& input, const WheelLayerOptions& options) {
  const std::uint64_t file_bytes = TRY(file_size(input.path));
  TRY(check_size(input, file_bytes));
  const auto read = [&]() -> Result<OpenWheel> {
    ZipArchive archive = TRY(ZipArchive::open(input.path));
    WheelLayout layout = TRY(read_wheel_layout(archive, input.name, options));
    return OpenWheel{input, std::move(archive), std::move(layout)};
  };
  Result<OpenWheel> wheel = read();
  if (!wheel.ok()) return explain(std::move(wheel).error(), input);
  return wheel;
}

}  // namespace

class WheelLayerWriter {
 public:
  WheelLayerWriter(std::span<const WheelInput> wheels, const WheelLayerOptions& options, Sink* blob,
                   HashTar hash_tar, Reporter& reporter, const CancelToken& cancel)
      : options_(options),
        stream_(blob, hash_tar),
        hash_tar_(hash_tar),
        reporter_(reporter),
        cancel_(cancel),
        inputs_(wheels.begin(), wheels.end()) {}

  Result<void> begin(const std::string* tree_folder);
  Result<LayerFacts> finish(std::vector<Entry> further);

 private:
  Result<void> open_all();
  Result<void> add_folders(std::span<const std::string> paths);
  Result<void> add_wheel(const OpenWheel& wheel, WheelCopier& copier);
  Result<void> add_all();
  Result<void> add_further(std::vector<Entry> files);
  std::string name() const;
  WheelCopier copier() { return {stream_, tree_ ? &*tree_ : nullptr, hash_tar_}; }

  const WheelLayerOptions options_;
  LayerStream stream_;
  HashTar hash_tar_;
  Reporter& reporter_;
  const CancelToken cancel_;
  std::vector<WheelInput> inputs_;
  std::vector<OpenWheel> wheels_;  ///< of the first step
  std::optional<TreeWriter> tree_;
  std::unordered_set<std::string> added_;  ///< paths of files
  std::set<std::string> folders_;
  Reporter::TaskId task_ = 0;
};

Result<void> WheelLayerWriter::open_all() {
  std::sort(inputs_.begin(), inputs_.end(), [](const WheelInput& a, const WheelInput& b) {
    return a.name != b.name ? a.name < b.name : a.version < b.version;
  });
  std::vector<std::vector<WheelPath>> paths;
  for (const WheelInput& input : inputs_) {
    TRY(cancel_.check());
    wheels_.push_back(TRY(open_wheel(input, options_)));
    paths.push_back(installed_paths(wheels_.back().layout));
  }
  return check_collisions(inputs_, paths);
}

/// Those that these files need and that are not there yet.
Result<void> WheelLayerWriter::add_folders(std::span<const std::string> paths) {
  std::set<std::string> added;
  for (const std::string& file : paths) {
    std::string path = parent_path(file);
    while (path != "." && folders_.insert(path).second) {
      added.insert(path);
      path = parent_path(path);
    }
  }
  for (const std::string& folder : added) {
    TRY(stream_.add({folder, TarType::Folder, 0755, 0, 0, 0, {}}));
    if (tree_) TRY(tree_->make_folder(folder, {0755, 0, 0}));
  }
  return {};
}

Result<void> WheelLayerWriter::add_wheel(const OpenWheel& wheel, WheelCopier& copier) {
  const std::vector<ZipMember>& members = wheel.archive.members();
  std::vector<const InstalledFile*> places(members.size());
  std::vector<const InstalledFile*> texts;
  for (const InstalledFile& file : wheel.layout.files) {
    if (!added_.insert(file.path).second) continue;  // the same bytes from an earlier wheel
    if (file.member == nullptr) {
      texts.push_back(&file);
    } else {
      places[static_cast<std::size_t>(file.member - members.data())] = &file;
    }
  }
  const auto on_read = [&](std::size_t bytes) -> Result<void> {
    reporter_.advance(task_, bytes);
    return cancel_.check();
  };
  Result<Digest> digest = copier.copy(wheel.archive, places, on_read);
  if (!digest.ok()) return explain(std::move(digest).error(), wheel.input);
  if (*digest != wheel.input.sha256) {
    return explain(make_error(ErrorKind::Corrupt, "wheel `{}` changed while it was read",
                              base_name(wheel.input.path)),
                   wheel.input);
  }
  for (const InstalledFile* text : texts) TRY(copier.add_text(*text));
  return {};
}

Result<void> WheelLayerWriter::add_all() {
  TRY(open_all());
  std::vector<std::string> paths;
  for (const OpenWheel& wheel : wheels_) {
    for (const InstalledFile& file : wheel.layout.files) paths.push_back(file.path);
  }
  TRY(add_folders(paths));
  WheelCopier copies = copier();
  for (const OpenWheel& wheel : wheels_) TRY(add_wheel(wheel, copies));
  wheels_.clear();
  return tree_ ? tree_->finish() : Result<void>();
}

Result<void> WheelLayerWriter::add_further(std::vector<Entry> files) {
  std::erase_if(files, [&](const Entry& file) { return added_.contains(parent_path(file.path)); });
  std::ranges::sort(files, {}, &Entry::path);
  std::vector<std::string> paths;
  for (const Entry& file : files) paths.push_back(file.path);
  TRY(add_folders(paths));
  WheelCopier copies = copier();
  for (Entry& file : files) {
    TRY(cancel_.check());
    InstalledFile further{std::move(file.path), file.mode, nullptr, {}, {}};
    const auto* const host = std::get_if<HostFile>(&file.content);
    further.text =
        host != nullptr ? TRY(read_file(host->path)) : std::get<std::string>(file.content);
    TRY(copies.add_text(further));
  }
  // The folders' times, too, which new files in them have changed.
  return tree_ ? tree_->finish() : Result<void>();
}

std::string WheelLayerWriter::name() const {
  return inputs_.size() == 1 ? fmt::format("{} {}", inputs_[0].name, inputs_[0].version)
                             : fmt::format("{} packages", inputs_.size());
}

Result<void> WheelLayerWriter::begin(const std::string* tree_folder) {
  SLIPWAY_CHECK(!inputs_.empty());
  if (tree_folder != nullptr) tree_ = TRY(TreeWriter::open(*tree_folder, options_.owners));
  std::uint64_t total = 0;
  for (const WheelInput& input : inputs_) total += input.size_bytes;
  task_ = reporter_.start("building", name(), total);
  Result<void> added = add_all();
  reporter_.finish(task_);
  TRY_WHILE("building the layer of " + name(), std::move(added));
  return {};
}

Result<LayerFacts> WheelLayerWriter::finish(std::vector<Entry> further) {
  if (!further.empty()) {
    TRY_WHILE("building the layer of " + name(), add_further(std::move(further)));
  }
  return stream_.finish();
}

WheelLayer::WheelLayer(std::unique_ptr<WheelLayerWriter> writer) : writer_(std::move(writer)) {}
WheelLayer::WheelLayer(WheelLayer&&) noexcept = default;
WheelLayer::~WheelLayer() = default;

Result<WheelLayer> WheelLayer::begin(std::span<const WheelInput> wheels,
                                     const WheelLayerOptions& options,
                                     const std::string& tree_folder, Sink* blob, Reporter& reporter,
                                     const CancelToken& cancel) {
  auto writer =
      std::make_unique<WheelLayerWriter>(wheels, options, blob, HashTar::Yes, reporter, cancel);
  TRY(writer->begin(&tree_folder));
  return WheelLayer(std::move(writer));
}

Result<LayerFacts> WheelLayer::finish(std::vector<Entry> further) {
  return writer_->finish(std::move(further));
}

Result<LayerFacts> build_wheel_layer(std::span<const WheelInput> wheels,
                                     const WheelLayerOptions& options,
                                     const std::string* tree_folder, Sink* blob, Reporter& reporter,
                                     const CancelToken& cancel) {
  WheelLayerWriter writer(wheels, options, blob, HashTar::Yes, reporter, cancel);
  TRY(writer.begin(tree_folder));
  return writer.finish({});
}

Result<SplicedBlob> splice_wheel_layer(std::span<const WheelInput> wheels,
                                       const WheelLayerOptions& options, Sink& blob,
                                       Reporter& reporter, const CancelToken& cancel) {
  WheelLayerWriter writer(wheels, options, &blob, HashTar::No, reporter, cancel);
  TRY(writer.begin(nullptr));
  const LayerFacts facts = TRY(writer.finish({}));
  return SplicedBlob{facts.digest, facts.size_bytes};
}

Result<std::vector<WheelPath>> list_wheel(const WheelInput& wheel,
                                          const WheelLayerOptions& options) {
  return installed_paths(TRY(open_wheel(wheel, options)).layout);
}

}  // namespace slipway::layer
