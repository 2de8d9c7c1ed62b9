/// An image that is used while it still comes: what the store keeps about it until it is whole.
///
///   lazy/<ChainID hex>/record      which image this is, and from which registry (JSON)
///                     /toc/<hex>   a layer's table of contents, by its blob
///                     /order       paths of files in the order in which a start will read them
///                     /blobs/<hex> what came of a layer's blob (lazy/blob_pieces.h)
///                     /files/<hex> contents that were unpacked, by their digest
///                     /mnt         where the server mounts the tree
///                     /tree        a link: to `mnt`, and once the image is whole, to its merged
///                     tree /lock        whoever serves it holds it (flock) /server      that
///                     process, once the tree is mounted, and the owner of the
///                                  store as it sees him
///                     /progress    `<bytes there> <bytes of all>`
///                     /log         what the server has to say
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "oci/image_config.h"
#include "plan/id_records.h"
#include "registry/session.h"
#include "store/store.h"

namespace slipway::plan {

struct LazyRecord {
  std::string reference;  ///< whole: with its host
  registry::Trust trust = registry::Trust::Checked;
  Digest manifest;
  /// Of the image's user, whose name says nothing before his passwd is there.
  std::optional<ImageIds> ids;
};

/// Who serves it, for those who have to join him (lazy_space.h).
struct LazyServerMark {
  std::string process;       ///< base/joined_namespace.h
  store::Owner owner{0, 0};  ///< in that process's user namespace
};

class LazyFolder {
 public:
  /// Of the image with these layers. Touches nothing.
  LazyFolder(const store::Store& store, const std::vector<Digest>& diff_ids);

  const std::string& path() const { return path_; }
  std::string inside(std::string_view name) const;
  bool exists() const;
  /// Whether somebody serves it now, or is about to.
  bool is_served() const;
  /// Makes the folders below it.
  Result<void> make() const;
  /// Where a run finds the image's tree.
  std::string tree() const { return inside("tree"); }

  struct Progress {
    std::uint64_t there_bytes = 0, all_bytes = 0;  ///< of the blobs that come
  };
  Result<void> write_progress(const Progress& progress) const;
  Progress read_progress() const;

  Result<void> write_server(const LazyServerMark& mark) const;
  Result<void> remove_server() const;
  /// Nothing before the tree can be used. What it says is true only while somebody serves it.
  std::optional<LazyServerMark> find_server() const;

  Result<void> write_record(const LazyRecord& record) const;
  Result<LazyRecord> read_record() const;
  Result<void> write_table(const Digest& blob, std::uint64_t toc_offset,
                           std::string_view text) const;
  struct Table {
    std::uint64_t toc_offset = 0;
    std::string text;
  };
  Result<Table> read_table(const Digest& blob) const;
  /// From now on `tree` leads there.
  Result<void> link_tree(const std::string& target) const;
  bool leads_to_merged_tree() const;
  /// Whether it leads to the image's files, as this process sees it: a mount may be for others.
  bool is_shown() const;
  /// What the server has made is the store's owner's, as all of it.
  Result<void> give_to_owner(std::string_view name) const;
  /// All but the link and the log, of an image that is whole; the folder too where it has no link.
  Result<void> remove_parts() const;

  /// Removes the folders of images that are not in `kept` (ChainIDs) and that nobody serves.
  static Result<void> sweep(const store::Store& store, const std::set<Digest>& kept);

 private:
  std::string path_;
  store::Owner owner_;
};

}  // namespace slipway::plan
