#include "plan/image_archive.h"

#include <fcntl.h>

#include "base/file.h"
#include "layer/decompress.h"
#include "layer/tar_stream.h"

namespace slipway::plan {
namespace {

constexpr std::uint64_t kMostText = 8 << 20;
constexpr std::size_t kMostFiles = 100'000;
constexpr int kMostLinks = 8;
constexpr std::string_view kBlobs = "blobs/sha256/";

Error too_large(std::string_view path) {
  return make_error(ErrorKind::Corrupt, "`{}` is larger than any real one", path);
}

/// What the name promises, if it does.
std::optional<Digest> promised_digest(const std::string& path) {
  if (!path.starts_with(kBlobs)) return std::nullopt;
  const Result<Digest> digest = parse_digest(path.substr(kBlobs.size()));
  return digest.ok() ? std::optional(*digest) : std::nullopt;
}

Result<oci::Descriptor> put_blob(const store::Store& store, Source& contents,
                                 const std::string& path) {
  const auto promised = promised_digest(path);
  store::BlobWriter writer = TRY(store.start_blob());
  TRY(copy(contents, writer));
  oci::Descriptor blob;
  blob.size_bytes = writer.size_bytes();
  if (promised) {
    Result<void> kept = writer.commit(*promised);
    if (!kept.ok() && kept.error().kind == ErrorKind::Corrupt) {
      return make_error(ErrorKind::Corrupt, "`{}` is not what its name says", path);
    }
    TRY(std::move(kept));
  }
  blob.digest = promised ? *promised : TRY(writer.commit());
  return blob;
}

class FolderArchive final : public ImageArchive {
 public:
  FolderArchive(UniqueFd folder, const store::Store& store)
      : folder_(std::move(folder)), store_(store) {}

  Result<std::optional<std::string>> find_text(const std::string& path) override {
    Result<UniqueFd> file = open_beneath(folder_.get(), path, O_RDONLY | O_NONBLOCK);
    if (!file.ok() && file.error().kind == ErrorKind::NotFound) return std::optional<std::string>();
    const UniqueFd fd = TRY(std::move(file));
    FdSource source(fd.get());
    StringSink text;
    std::byte buffer[1 << 16];
    while (const std::size_t got = TRY(source.read(buffer))) {
      TRY(text.write(Bytes(buffer).first(got)));
      if (text.text.size() > kMostText) return too_large(path);
    }
    return std::optional(std::move(text.text));
  }

  Result<oci::Descriptor> take_blob(const std::string& path) override {
    const UniqueFd fd = TRY(open_beneath(folder_.get(), path, O_RDONLY | O_NONBLOCK));
    FdSource source(fd.get());
    return put_blob(store_, source, path);
  }

 private:
  UniqueFd folder_;
  const store::Store& store_;
};

class TarArchive final : public ImageArchive {
 public:
  TarArchive(const store::Store& store, std::string shown)
      : store_(store), shown_(std::move(shown)) {}

  Result<void> read(Source& bytes, const CancelToken& cancel) {
    layer::Decompressed plain(bytes);
    layer::TarStream tar(plain);
    for (;;) {
      TRY(cancel.check());
      auto item = tar.next();
      if (!item.ok()) return unsound(std::move(item).error());
      if (!*item) break;
      Result<void> added = add(**item, tar);
      if (!added.ok()) return std::move(added).error();
      if (blobs_.size() + links_.size() > kMostFiles) {
        return make_error(ErrorKind::Corrupt, "`{}` has more files than any image", shown_);
      }
    }
    // So that what writes into a pipe does not see it break.
    Result<void> drained = tar.drain();
    return drained.ok() ? drained : unsound(std::move(drained).error());
  }

  Result<std::optional<std::string>> find_text(const std::string& path) override {
    const auto blob = blobs_.find(resolve(path));
    if (blob == blobs_.end()) return std::optional<std::string>();
    if (blob->second.size_bytes > kMostText) return too_large(path);
    return std::optional(TRY(store_.read_blob(blob->second.digest, kMostText)));
  }

  Result<oci::Descriptor> take_blob(const std::string& path) override {
    const auto blob = blobs_.find(resolve(path));
    if (blob != blobs_.end()) return blob->second;
    return make_error(ErrorKind::NotFound, "`{}` is not in `{}`", path, shown_);
  }

 private:
  Error unsound(Error error) const {
    const bool is_of_bytes =
        error.kind == ErrorKind::Corrupt || error.kind == ErrorKind::Unsupported;
    if (is_of_bytes) error.message = fmt::format("`{}` {}", shown_, error.message);
    return error;
  }

  Result<void> add(const layer::TarItem& item, Source& contents) {
    using Kind = layer::TarItem::Kind;
    if (item.kind == Kind::HardLink) links_[item.path] = item.target;
    // Docker's layers that come twice: `../<id>/layer.tar`.
    if (item.kind == Kind::Link) {
      const auto folded = absolute_path("/" + parent_path(item.path) + "/" + item.target);
      if (folded.ok()) links_[item.path] = folded->substr(1);
    }
    if (item.kind != Kind::File || item.path.empty()) return {};
    const Result<oci::Descriptor> blob = put_blob(store_, contents, item.path);
    if (blob.ok()) {
      blobs_[item.path] = *blob;
      return {};
    }
    return blob.error().message.starts_with("is ") ? unsound(blob.error()) : blob.error();
  }

  std::string resolve(std::string path) const {
    for (int i = 0; i < kMostLinks; ++i) {
      const auto link = links_.find(path);
      if (link == links_.end()) break;
      path = link->second;
    }
    return path;
  }

  const store::Store& store_;
  const std::string shown_;
  std::map<std::string, oci::Descriptor> blobs_;
  std::map<std::string, std::string> links_;
};

}  // namespace

Result<std::unique_ptr<ImageArchive>> open_image_archive(const std::string& path,
                                                         const store::Store& store,
                                                         const Tools& tools) {
  if (path != "-" && is_folder(path)) {
    UniqueFd folder = TRY(open_file(path, O_RDONLY | O_DIRECTORY));
    return std::unique_ptr<ImageArchive>(std::make_unique<FolderArchive>(std::move(folder), store));
  }
  UniqueFd file;
  if (path != "-") file = TRY(open_file(path, O_RDONLY));
  FdSource bytes(path == "-" ? 0 : file.get());
  auto archive = std::make_unique<TarArchive>(store, path == "-" ? "standard input" : path);
  TRY(archive->read(bytes, tools.cancel));
  return std::unique_ptr<ImageArchive>(std::move(archive));
}

}  // namespace slipway::plan
