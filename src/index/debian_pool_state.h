/// What the files of DebianPool share. Includes libsolv: for debian_pool*.cc only.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "index/debian_pool.h"

// libsolv's headers call a field `requires`, which is a word of C++20. Nothing of the standard
// library may be included for the first time in between.
#define requires requires_
extern "C" {
#include <solv/evr.h>
#include <solv/pool.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/repo_solv.h>
#include <solv/repo_write.h>
#include <solv/solver.h>
}
#undef requires

namespace slipway::index {

/// A made-up provide of the packages that every base holds: essential, or of priority required.
inline constexpr const char* kAlwaysTag = "slipway:always";

struct DebianPool::State {
  Pool* pool = nullptr;
  Repo* last = nullptr;
  std::vector<Id> held;  ///< installed, and not to be touched (apt-mark hold)
  std::string architecture;
  bool is_indexed = false;  ///< whether pool_createwhatprovides has seen all packages

  explicit State(std::string_view arch);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Repo* new_repo(std::string_view index, int priority = 0);
  void index();
};

/// A libsolv queue that frees itself.
struct IdQueue {
  Queue queue{};
  IdQueue() { queue_init(&queue); }
  ~IdQueue() { queue_free(&queue); }
  IdQueue(const IdQueue&) = delete;
  IdQueue& operator=(const IdQueue&) = delete;
  std::span<const Id> ids() const {
    return {queue.elements, static_cast<std::size_t>(queue.count)};
  }
};

/// The solvables of that very name, or those that provide it.
std::vector<Id> find_by_name(Pool* pool, Id name);
std::vector<Id> find_providers(Pool* pool, Id dependency);

/// Fills in who needs each file and whether it is always there. `decided` are the packages of
/// `files`, in the same order.
void add_reasons(Pool* pool, std::span<const Id> decided, std::span<DebFile> files);

/// Of packages that are upgraded and that nobody in the solution needs: those for whose sake the
/// installed version cannot stay, else those of the same source. To be called after add_reasons.
void add_upgrade_reasons(Pool* pool, std::span<const Id> decided, std::span<DebFile> files);

/// The installed package of that name; 0 where there is none.
Id find_installed(Pool* pool, Id name);

/// The source that a package was built of.
struct SourceIds {
  Id name = 0, evr = 0;
  bool operator==(const SourceIds&) const = default;
};
SourceIds source_of(Pool* pool, Id solvable);

/// What apt would install for `names`: the highest version (or the preferred one), and of
/// alternatives the first unless another is there already. What is installed is there already,
/// unless another version of it is chosen. A proposal for the solver, which keeps to it where it
/// holds. `held` stays as it is.
std::vector<Id> propose_like_apt(Pool* pool, std::span<const Id> names,
                                 const std::map<Id, Id>& preferred_by_name,
                                 std::span<const Id> held);

}  // namespace slipway::index
