#include "run/streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sandbox_steps.h"

namespace slipway::run {

Result<UniqueFd> open_null(int flags) {
  constexpr const char* kNull = "/dev/null";
  const Result<UniqueFd> mount = copy_mount(kNull, Submounts::Without);
  if (mount.ok() && make_read_only(mount->get(), Submounts::Without).ok()) {
    Result<UniqueFd> null = open_file(fmt::format("/proc/self/fd/{}", mount->get()), flags);
    if (null.ok()) return null;
  }
  return open_file(kNull, flags);
}

StreamOwners::StreamOwners(std::array<int, 3> descriptors) {
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    struct stat status {};
    if (::fstat(descriptors[i], &status) != 0) continue;
    streams_[i] = {descriptors[i], status.st_uid, status.st_gid};
  }
}

StreamOwners::~StreamOwners() {
  for (const Stream& stream : streams_) {
    struct stat status {};
    if (stream.descriptor < 0 || ::fstat(stream.descriptor, &status) != 0) continue;
    if (status.st_uid == stream.uid && status.st_gid == stream.gid) continue;
    (void)::fchown(stream.descriptor, stream.uid, stream.gid);
  }
}

}  // namespace slipway::run
