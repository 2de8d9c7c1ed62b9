/// The files of a foreign layer: contents, owner, extended attributes, mode and time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/io.h"
#include "base/unique_fd.h"
#include "layer/decompress.h"
#include "layer/direct_writer.h"
#include "layer/kept_file.h"
#include "layer/owners.h"
#include "layer/tar_item.h"

namespace slipway::layer {

class FileUnpacker {
 public:
  explicit FileUnpacker(Owners owners) : owners_(owners) {}

  /// Large files are hashed on a thread of their own. Borrows `tar`, where their contents go by.
  void hash_aside(HashingSource& tar) { tar_ = &tar; }
  /// Of large files that are found so, what is kept becomes the file.
  void take_over(FindKept kept) { find_kept_ = std::move(kept); }

  /// `folder` has nothing of that name.
  Result<void> add(const TarItem& item, int folder, const std::string& name, Source& contents);
  /// Waits for what is being written. Returns how many extended attributes were left out.
  Result<std::uint64_t> finish();

 private:
  std::optional<KeptFile> find_kept(const TarItem& item, Source& contents) const;
  Result<void> write(const TarItem& item, const UniqueFd& fd, Source& contents);
  Result<void> write_large(const TarItem& item, UniqueFd fd, Source& contents);
  Result<void> end(const TarItem& item, int fd);

  Owners owners_;
  HashingSource* tar_ = nullptr;
  FindKept find_kept_;
  std::vector<std::byte> buffer_;
  std::unique_ptr<DirectWriter> large_ = std::make_unique<DirectWriter>();
  std::uint64_t left_out_ = 0;
};

}  // namespace slipway::layer
