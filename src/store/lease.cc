#include "store/lease.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/files.h"
#include "store/store.h"
#include "store/store_lock.h"

namespace slipway::store {
namespace {

bool is_pin_id(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text[0] != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.' || c == '-';
         });
}

/// Removes a pin whose run is over. False where the run goes on.
Result<bool> remove_dead_pin(const std::string& path) {
  const Result<UniqueFd> fd = open_file(path, O_RDONLY);
  if (!fd.ok()) {
    if (fd.error().kind == ErrorKind::NotFound) return true;
    return fd.error();
  }
  if (!TRY(try_flock(fd->get(), LockMode::Exclusive, path))) return false;
  // Under its lock, so that of two that find it dead only one removes it, and no later one.
  struct stat opened, named;
  if (::fstat(fd->get(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
      opened.st_ino == named.st_ino) {
    TRY(remove_file(path));
  }
  return true;
}

}  // namespace

Result<Lease> Store::lease(Reporter& reporter, const CancelToken& cancel) const {
  const std::string path = inside("locks/store");
  UniqueFd fd = TRY(open_file(path, O_RDWR));
  if (TRY(try_flock(fd.get(), LockMode::Exclusive, path))) {
    TRY_WHILE("removing what an earlier run left behind", empty_folder(inside("tmp")));
  }
  TRY(wait_for_flock(fd.get(), LockMode::Shared, path, reporter, cancel));
  return Lease(std::move(fd));
}

Result<Pin> Store::pin(const Lease&, const Digest& manifest, std::string_view id) const {
  if (!is_pin_id(id)) return make_error(ErrorKind::InvalidInput, "`{}` cannot name a run", id);
  const std::string path = inside(fmt::format("refs/pins/{}", id));
  NewFile file = TRY(create_file(inside("tmp"), "pin", owner_));
  Pin pin(std::move(file.fd), std::move(file.path), std::string(id));
  FdSink sink(pin.fd());
  TRY(sink.write(as_bytes(manifest.text() + "\n")));
  // Locked before anyone can see it. The lock belongs to the open file, not to its name.
  SLIPWAY_CHECK(TRY(try_flock(pin.fd(), LockMode::Exclusive, path)));
  while (::renameat2(AT_FDCWD, pin.path_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno != EEXIST) return errno_error(fmt::format("cannot make `{}`", path));
    if (!TRY(remove_dead_pin(path))) {
      return make_error(ErrorKind::InvalidInput, "`{}` is running already", id);
    }
  }
  pin.path_ = path;
  return pin;
}

Pin::~Pin() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace slipway::store
