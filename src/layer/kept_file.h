/// Contents of a file that were unpacked before its layer is, as a lazy start does: they become the
/// layer's file, so that their bytes are not written twice.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/io.h"
#include "base/unique_fd.h"
#include "layer/tar_item.h"

namespace slipway::layer {

/// Where the contents of a layer's file may lie; nothing where they are not kept. They are held
/// against the layer, so a wrong answer costs time alone.
using FindKept = std::function<std::optional<std::string>(const TarItem& file)>;

/// As a Source: what the layer's file has, to its end, also where that is something else.
class KeptFile final : public Source {
 public:
  /// Nothing where it is not there, has another size, or is a layer's file already. Borrows
  /// `contents`, those of the layer's file.
  static std::optional<KeptFile> open(const std::string& path, std::uint64_t size_bytes,
                                      Source& contents);

  /// Reads `contents` for as long as they are the same bytes as those kept, and tells whether they
  /// are to the end. To be called once.
  Result<bool> is_same();
  /// Gives it this name too, on the same file system. False where that cannot be.
  bool link_to(int folder, const std::string& name) const;
  int fd() const { return fd_.get(); }

  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  KeptFile(UniqueFd fd, const std::string& path, std::uint64_t size_bytes, Source& contents)
      : fd_(std::move(fd)), path_(path), size_bytes_(size_bytes), contents_(&contents) {}

  UniqueFd fd_;
  std::string path_;
  std::uint64_t size_bytes_;
  Source* contents_;
  std::uint64_t same_bytes_ = 0, read_bytes_ = 0;
  std::vector<std::byte> other_;  ///< the piece that was something else
  std::size_t other_read_ = 0;
};

}  // namespace slipway::layer
