#include "plan/pieced_layer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "base/file.h"
#include "layer/zip_archive.h"
#include "lazy/shared_pieces.h"
#include "plan/lazy_table.h"
#include "plan/stored_images.h"

namespace slipway::plan {
namespace {

constexpr std::uint64_t kLeastLayer = 64 << 10;   ///< a smaller one is fetched as it is
constexpr std::uint64_t kLeastPiece = 4 << 10;    ///< a shorter one is not worth a request
constexpr std::uint64_t kMostMissing = 64 << 20;  ///< more goes on after a break, if it is whole
constexpr std::size_t kMostRequests = 32;
constexpr std::uint64_t kRequestBytes = 4 << 20;

/// In the first request for a layer's end: tables have about a sixtieth of a layer's size.
std::uint64_t tail_bytes_of(std::uint64_t layer_bytes) {
  return std::clamp<std::uint64_t>(layer_bytes / 48, 8 << 10, 64 << 10);
}

/// `six` of `six 1.17.0`, `bytecode of six` of `bytecode of six 1.17.0`.
std::vector<std::string> package_names(const oci::Descriptor& layer) {
  std::vector<std::string> names;
  for (const std::string& package : list_packages(layer.annotations)) {
    const std::size_t space = package.rfind(' ');
    if (space != std::string::npos) names.push_back(package.substr(0, space));
  }
  return names;
}

Result<std::string> read_text(int fd, std::uint64_t first, std::uint64_t bytes) {
  std::string text(static_cast<std::size_t>(bytes), '\0');
  TRY(read_at(fd, first, std::as_writable_bytes(std::span(text))));
  return text;
}

class PiecedLayer {
 public:
  PiecedLayer(registry::Registry& registry, const std::string& repository,
              const oci::Descriptor& layer, UniqueFd kin, const CancelToken& cancel)
      : registry_(registry),
        repository_(repository),
        layer_(layer),
        kin_(std::move(kin)),
        cancel_(cancel) {}

  /// Whether it is worth it.
  Result<bool> plan(const oci::Descriptor& kin, const Digest& toc, const Digest& kin_toc) {
    const auto fetch = [&](std::uint64_t first, std::uint64_t bytes) { return get(first, bytes); };
    const auto read = [&](std::uint64_t first, std::uint64_t bytes) {
      return read_text(kin_.get(), first, bytes);
    };
    const StargzTail old = TRY(read_stargz_tail(kin, kin_toc, tail_bytes_of(kin.size_bytes), read));
    tail_ = TRY(read_stargz_tail(layer_, toc, tail_bytes_of(layer_.size_bytes), fetch));
    shared_ =
        TRY(lazy::find_shared_pieces({tail_.table, tail_.toc_offset}, {old.table, old.toc_offset}));
    std::erase_if(shared_, [](const auto& piece) { return piece.size_bytes < kLeastPiece; });
    missing_bytes_ = tail_.toc_offset;
    for (const lazy::SharedPiece& piece : shared_) missing_bytes_ -= piece.size_bytes;
    return shared_.size() < kMostRequests && missing_bytes_ <= kMostMissing &&
           missing_bytes_ <= tail_.toc_offset / 2;
  }

  Result<void> write(const std::string& path, Reporter& reporter) {
    const auto task = reporter.start(
        "downloading", "what differs in " + layer_.digest.hex().substr(0, 12), missing_bytes_);
    const OnCame on_came = [&](std::uint64_t bytes) { reporter.advance(task, bytes); };
    const Result<void> written = write_all(path, on_came);
    reporter.finish(task);
    return written;
  }

  std::uint64_t fetched_bytes() const { return fetched_bytes_; }

 private:
  using OnCame = std::function<void(std::uint64_t bytes)>;

  Result<void> write_all(const std::string& path, const OnCame& on_came) {
    const UniqueFd file = TRY(open_file(path, O_RDWR | O_CREAT | O_TRUNC));
    std::uint64_t at = 0;
    for (const lazy::SharedPiece& piece : shared_) {
      TRY(fetch_gap(file.get(), at, piece.offset, on_came));
      TRY(copy_piece(file.get(), piece));
      at = piece.offset + piece.size_bytes;
    }
    TRY(fetch_gap(file.get(), at, tail_.toc_offset, on_came));
    TRY(fetch_gap(file.get(), tail_.toc_offset, layer_.size_bytes, [](std::uint64_t) {}));
    if (::fsync(file.get()) != 0) return errno_error(fmt::format("cannot write `{}`", path));
    return {};
  }

  Result<std::string> get(std::uint64_t first, std::uint64_t bytes) {
    std::string text = TRY(registry_.fetch_range(repository_, layer_, first, bytes, cancel_));
    fetched_bytes_ += text.size();
    return text;
  }

  /// The file is written from front to back; of the tail no byte is asked for twice.
  Result<void> fetch_gap(int file, std::uint64_t begin, std::uint64_t end, const OnCame& on_came) {
    FdSink sink(file);
    while (begin < end && begin < tail_.begin) {
      const std::uint64_t bytes = std::min(std::min(end, tail_.begin) - begin, kRequestBytes);
      const std::string text = TRY(get(begin, bytes));
      TRY(sink.write(as_bytes(text)));
      on_came(bytes);
      begin += bytes;
    }
    if (begin == end) return {};
    const std::string_view here(tail_.bytes);
    on_came(end - begin);
    return sink.write(as_bytes(here.substr(static_cast<std::size_t>(begin - tail_.begin),
                                           static_cast<std::size_t>(end - begin))));
  }

  Result<void> copy_piece(int file, const lazy::SharedPiece& piece) {
    FdSink sink(file);
    for (std::uint64_t done = 0; done < piece.size_bytes;) {
      TRY(cancel_.check());
      const std::uint64_t bytes = std::min(piece.size_bytes - done, kRequestBytes);
      const std::string text = TRY(read_text(kin_.get(), piece.other_offset + done, bytes));
      TRY(sink.write(as_bytes(text)));
      done += bytes;
    }
    return {};
  }

  registry::Registry& registry_;
  const std::string& repository_;
  const oci::Descriptor& layer_;
  UniqueFd kin_;  ///< the other's blob
  const CancelToken& cancel_;
  StargzTail tail_;
  std::vector<lazy::SharedPiece> shared_;
  std::uint64_t missing_bytes_ = 0;  ///< of all but the tail
  std::uint64_t fetched_bytes_ = 0;
};

}  // namespace

Result<KindredLayers> KindredLayers::find(const store::Store& store, const Tools& tools) {
  KindredLayers kindred;
  std::set<Digest> seen;
  for (const StoredImage& image : TRY(list_stored_images(tools))) {
    for (const oci::Descriptor& layer : image.manifest.layers) {
      const bool is_usable = find_toc(layer.annotations) && store.has_blob(layer.digest);
      if (!is_usable || !seen.insert(layer.digest).second) continue;
      for (const std::string& name : package_names(layer)) {
        kindred.by_name_[name].insert(kindred.layers_.size());
      }
      kindred.layers_.push_back(layer);
    }
  }
  return kindred;
}

std::optional<oci::Descriptor> KindredLayers::kin_of(const oci::Descriptor& layer) const {
  std::map<std::size_t, std::size_t> names;
  for (const std::string& name : package_names(layer)) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) continue;
    for (const std::size_t i : found->second) ++names[i];
  }
  const auto most = std::ranges::max_element(names, {}, [](const auto& one) { return one.second; });
  if (most == names.end()) return std::nullopt;
  return layers_[most->first];
}

Result<std::optional<std::uint64_t>> fetch_in_pieces(
    registry::Registry& registry, const std::string& repository, const oci::Descriptor& layer,
    const oci::Descriptor& kin, const store::Store& store, const std::string& path,
    Reporter& reporter, const CancelToken& cancel) {
  constexpr std::optional<std::uint64_t> kWhole;
  const auto toc = find_toc(layer.annotations), kin_toc = find_toc(kin.annotations);
  if (!toc || !kin_toc || layer.size_bytes < kLeastLayer) return kWhole;
  auto blob = open_file(store.blob_path(kin.digest), O_RDONLY);
  if (!blob.ok()) return kWhole;
  PiecedLayer pieced(registry, repository, layer, std::move(*blob), cancel);
  const Result<bool> is_worth_it = pieced.plan(kin, *toc, *kin_toc);
  TRY(cancel.check());
  if (!is_worth_it.ok() || !*is_worth_it) return kWhole;
  const std::string part = path + ".pieces";
  const Result<void> written = pieced.write(part, reporter);
  const auto digest = written.ok() ? sha256_of_file(part) : written.error();
  if (digest.ok() && *digest == layer.digest) {
    TRY(rename_path(part, path));
    return std::optional(pieced.fetched_bytes());
  }
  ::unlink(part.c_str());
  TRY(cancel.check());
  return kWhole;
}

}  // namespace slipway::plan
