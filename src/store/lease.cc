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
    // What a killed build of an ordinary user left has owners of the user's namespace: it stays for
    // the next one who is in there, a build or a collection.
    (void)empty_folder(inside("tmp"));
  }
  TRY(wait_for_flock(fd.get(), LockMode::Shared, path, reporter, cancel));
  return Lease(std::move(fd));
}

}  // namespace slipway::store
