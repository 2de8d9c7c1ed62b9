/// Who is who in an image, as its layers have it before they are mounted over each other.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/error.h"

namespace slipway::plan {

/// `etc/passwd` and `etc/group` of the topmost layers that have them. Filled from the top down:
/// what a higher layer has stays.
class RecordFiles {
 public:
  static constexpr std::size_t kMostBytes = 4 << 20;  ///< of one of them
  static bool is_wanted(std::string_view path);

  /// Of a layer's blob. Fails with Corrupt where one is larger than any real one, and as
  /// layer/tar_reader.h has it.
  Result<void> read_layer(const std::string& blob, const CancelToken& cancel);
  /// Of a layer's tree. No link in it is followed.
  Result<void> read_unpacked(const std::string& folder);
  void add(const std::string& path, std::string text);

  bool has(const std::string& path) const { return files_.contains(path); }
  bool is_complete() const { return files_.size() == 2; }
  std::string passwd() const { return text_of("etc/passwd"); }
  std::string group() const { return text_of("etc/group"); }

 private:
  std::string text_of(const std::string& path) const;
  std::map<std::string, std::string> files_;
};

}  // namespace slipway::plan
