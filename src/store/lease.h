/// Who may touch the store at the same time as whom.
///
/// A Lease is a shared flock(2) on locks/store: every process that writes, or that looks an image
/// up in order to use it, holds one. Garbage collection takes the same lock exclusively, so it
/// never sees what a build has written and not yet referenced. A run holds its Lease only until it
/// has a Pin; a Pin is a file of its own under a lock of its own, so a long run blocks nobody.
///
/// The kernel drops both kinds of lock when their last holder dies: nothing is ever stale.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/reporter.h"
#include "base/unique_fd.h"

namespace slipway::store {

class Store;

/// Movable; released at the end of its life. Any number of threads may work under one.
class Lease {
 private:
  friend class Store;
  explicit Lease(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// What a run uses stays in the store as long as the Pin's descriptor, or a copy of it in a child
/// (it is close-on-exec), is open. The file refs/pins/<id> goes with the Pin, or with the next
/// garbage collection after a crash.
class Pin {
 public:
  Pin(Pin&& other) noexcept
      : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})), id_(other.id_) {}
  Pin& operator=(Pin&&) = delete;
  ~Pin();
  const std::string& id() const { return id_; }
  /// For a process that has to outlive this one: the lock lives in the open file description.
  int fd() const { return fd_.get(); }
  /// This process lets go; a child that inherited `fd()` holds on.
  void leave_to_child() { path_.clear(); }

 private:
  friend class Store;
  Pin(UniqueFd fd, std::string path, std::string id)
      : fd_(std::move(fd)), path_(std::move(path)), id_(std::move(id)) {}
  UniqueFd fd_;
  std::string path_;
  std::string id_;
};

}  // namespace slipway::store
