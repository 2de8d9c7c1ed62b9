/// Files are opened as the caller would open them, group membership included: root of a user
/// namespace may not look into a caller's folder whose group it does not know.
#pragma once

#include <sys/fsuid.h>
#include <sys/prctl.h>

#include "run/container.h"

namespace slipway::run {

/// Until the end of its life, for this thread.
class ActAs {
 public:
  explicit ActAs(const Owner& owner)
      : is_dumpable_(::prctl(PR_GET_DUMPABLE)),
        uid_(static_cast<uid_t>(::setfsuid(owner.uid))),
        gid_(static_cast<gid_t>(::setfsgid(owner.gid))) {}
  ActAs(const ActAs&) = delete;
  ActAs& operator=(const ActAs&) = delete;
  ~ActAs() {
    ::setfsuid(uid_);
    ::setfsgid(gid_);
    // A change of ids makes a process undumpable. Its child's /proc files then belong to a root
    // outside, and no private network can be joined to it.
    ::prctl(PR_SET_DUMPABLE, is_dumpable_);
  }

 private:
  int is_dumpable_;
  uid_t uid_;
  gid_t gid_;
};

}  // namespace slipway::run
