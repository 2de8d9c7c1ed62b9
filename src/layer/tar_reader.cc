#include "layer/tar_reader.h"

#include <fcntl.h>

#include "base/file.h"
#include "layer/decompress.h"
#include "layer/tar_stream.h"

namespace slipway::layer {
namespace {

/// Failures of the bytes, as the end of a sentence about `file`.
Error of_file(const std::string& file, Error error) {
  const bool is_of_bytes = error.kind == ErrorKind::Corrupt || error.kind == ErrorKind::Unsupported;
  if (is_of_bytes) {
    error.message = fmt::format("`{}` is not a sound tar file: it {}", file, error.message);
  }
  return error;
}

class Contents final : public Source {
 public:
  Contents(const std::string& file, TarStream& tar) : file_(file), tar_(tar) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    auto got = tar_.read(buffer);
    if (!got.ok()) return of_file(file_, std::move(got).error());
    return got;
  }

 private:
  const std::string& file_;
  TarStream& tar_;
};

}  // namespace

Result<void> read_tar_file(const std::string& file, const CancelToken& cancel,
                           const TarVisitor& visit) {
  const UniqueFd fd = TRY(open_file(file, O_RDONLY));
  FdSource bytes(fd.get());
  Decompressed plain(bytes);
  TarStream tar(plain);
  Contents contents(file, tar);
  for (;;) {
    TRY(cancel.check());
    auto item = tar.next();
    if (!item.ok()) return of_file(file, std::move(item).error());
    if (!*item) return {};
    TRY(visit(**item, contents));
  }
}

}  // namespace slipway::layer
