#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "store/files.h"
#include "store/store.h"

namespace slipway::store {

std::string Store::blob_path(const Digest& digest) const {
  const std::string hex = digest.hex();
  return inside(fmt::format("blobs/sha256/{}/{}", hex.substr(0, 2), hex.substr(2)));
}

bool Store::has_blob(const Digest& digest) const { return path_exists(blob_path(digest)); }

BlobWriter::BlobWriter(BlobWriter&& other) noexcept
    : store_(other.store_),
      fd_(std::move(other.fd_)),
      path_(std::exchange(other.path_, {})),
      hash_(std::move(other.hash_)) {}

BlobWriter::~BlobWriter() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> BlobWriter::write(Bytes bytes) {
  TRY(hash_.write(bytes));
  FdSink sink(fd_.get());
  return sink.write(bytes);
}

Result<Digest> BlobWriter::commit() {
  const Digest digest = hash_.finish();
  TRY(place(digest));
  return digest;
}

Result<void> BlobWriter::commit(const Digest& expected) {
  const Digest digest = hash_.finish();
  if (digest != expected) {
    return make_error(ErrorKind::Corrupt, "expected bytes of `{}`, got `{}`", expected.text(),
                      digest.text());
  }
  return place(digest);
}

Result<void> BlobWriter::place(const Digest& digest) {
  if (store_->has_blob(digest)) return {};
  if (::fchmod(fd_.get(), 0444) != 0 || ::fsync(fd_.get()) != 0) {
    return errno_error(fmt::format("cannot sync `{}`", path_));
  }
  const std::string path = store_->blob_path(digest);
  const std::string folder = parent_path(path);
  const bool folder_is_new = !is_folder(folder);
  TRY(make_owned_folders(folder, store_->owner()));
  TRY(rename_path(path_, path));
  path_.clear();
  TRY(sync_folder(folder));
  if (folder_is_new) TRY(sync_folder(parent_path(folder)));
  return {};
}

Result<BlobWriter> Store::start_blob() const {
  NewFile file = TRY(create_file(inside("tmp"), "blob", owner_));
  return BlobWriter(*this, std::move(file.fd), std::move(file.path));
}

Result<void> Store::put_blob(Source& body, const Digest& expected) const {
  if (has_blob(expected)) return {};
  BlobWriter writer = TRY(start_blob());
  TRY(copy(body, writer));
  return writer.commit(expected);
}

Result<Digest> Store::put_blob_bytes(Bytes bytes) const {
  const Digest digest = sha256(bytes);
  BytesSource source(bytes);
  TRY(put_blob(source, digest));
  return digest;
}

Result<void> Store::adopt_blob(const std::string& file, const Digest& digest) const {
  if (has_blob(digest)) return remove_file(file);
  // A name of its own: several may adopt the same blob at once.
  const NewFile place = TRY(create_file(inside("tmp"), "blob", owner_));
  if (::rename(file.c_str(), place.path.c_str()) != 0) {
    const bool is_elsewhere = errno == EXDEV;
    const Error error = errno_error(fmt::format("cannot move `{}`", file));
    TRY(remove_file(place.path));
    if (!is_elsewhere) return error;
    const UniqueFd fd = TRY(open_file(file, O_RDONLY | O_NOFOLLOW));
    FdSource source(fd.get());
    TRY(put_blob(source, digest));
    return remove_file(file);
  }
  UniqueFd fd = TRY(open_file(place.path, O_RDONLY | O_NOFOLLOW));
  TRY(give_to(fd.get(), place.path, owner_));
  BlobWriter writer(*this, std::move(fd), place.path);
  return writer.place(digest);
}

Result<std::string> Store::read_blob(const Digest& digest, std::uint64_t most_bytes) const {
  const std::string path = blob_path(digest);
  if (TRY(file_size(path)) > most_bytes) {
    return make_error(ErrorKind::Corrupt, "blob `{}` is larger than {} bytes", digest.text(),
                      most_bytes);
  }
  std::string text = TRY(read_file(path));
  if (sha256(text) != digest) {
    return make_error(ErrorKind::Corrupt, "`{}` does not hold what its name says", path)
        .hint("the disk may be failing; remove the file, and what needs it makes it again");
  }
  return text;
}

}  // namespace slipway::store
