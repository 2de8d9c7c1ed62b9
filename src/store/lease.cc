#include "store/lease.h"

#include <fcntl.h>

#include "store/files.h"
#include "store/store.h"
#include "store/store_lock.h"

namespace slipway::store {
Result<Lease> Store::lease(Reporter& reporter, const CancelToken& cancel) const {
  const std::string path = inside("locks/store");
  UniqueFd fd = TRY(open_file(path, O_RDWR));
  if (TRY(try_flock(fd.get(), LockMode::Exclusive, path))) {
    TRY_WHILE("removing what an earlier run left behind", empty_folder(inside("tmp")));
  }
  TRY(wait_for_flock(fd.get(), LockMode::Shared, path, reporter, cancel));
  return Lease(std::move(fd));
}

}  // namespace slipway::store
