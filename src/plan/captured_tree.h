/// Files of this host on their way into an image, at the paths that they have here.
///
/// Links stay links: every folder and link on the way to a file comes along, so that each path
/// leads to the same file inside. Bytecode (it names times that an image does not keep), special
/// files, and what keeps passwords (`pip.conf`, `.netrc` and the like) stay out. Modes are 0644 or
/// 0755 and all belongs to root. Names are bytes: they need not be UTF-8. Nothing here is changed.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/reporter.h"
#include "layer/tar_layer.h"

namespace slipway::plan {

struct CapturedFile {
  layer::Entry entry;
  Digest sha256;  ///< of a file's contents, once `hash_files` ran
};

class CapturedTree {
 public:
  /// Whether the file or folder at an absolute path is to stay out.
  using Leave = std::function<bool(const std::string& path)>;

  /// The file or folder (not what is in it) with all links on the way. Its path without links;
  /// nothing where there is none. Fails with Denied where a folder on the way may not be searched.
  Result<std::optional<std::string>> add(const std::string& path);
  /// The folder and everything in it that is not left out; links in it are not followed.
  Result<void> add_tree(const std::string& folder, const Leave& leave, const CancelToken& cancel);
  void add_text(const std::string& path, std::string text);
  void add_link(const std::string& path, const std::string& target);
  void add_folder(const std::string& path, unsigned mode);

  /// Brings the files to which links of the tree lead, where `may_follow` says so of their path
  /// without links. What still leads nowhere is returned: paths of links, sorted.
  Result<std::vector<std::string>> follow_links(
      const std::function<bool(const std::string& path)>& may_follow);

  /// Reads every file once. Fails with Denied or Io, naming the file.
  Result<void> hash_files(Reporter& reporter, const CancelToken& cancel);

  /// By absolute path.
  const std::map<std::string, CapturedFile>& files() const { return files_; }
  bool has(const std::string& path) const { return files_.contains(path); }
  /// Left out, for their names or kinds; sorted by the walk.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  void put(const std::string& path, layer::Entry entry);
  Result<void> walk(const std::string& folder, const Leave& leave, const CancelToken& cancel);

  std::map<std::string, CapturedFile> files_;
  std::vector<std::string> left_out_;
};

}  // namespace slipway::plan
