#include "layer/no_sync.h"

#include <seccomp.h>

#include <memory>
#include <optional>
#include <thread>

namespace slipway::layer {
namespace {

void ignore_syncs() {
  const std::unique_ptr<void, void (*)(void*)> filter(seccomp_init(SCMP_ACT_ALLOW),
                                                      seccomp_release);
  if (!filter) return;
  // Without "no new privileges" set-uid programs stay what they are; root may do so.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0);
  for (const int call : {SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync), SCMP_SYS(syncfs),
                         SCMP_SYS(msync), SCMP_SYS(sync_file_range)}) {
    if (seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(0), call, 0) != 0) return;
  }
  static_cast<void>(seccomp_load(filter.get()));
}

}  // namespace

Result<void> without_sync(const std::function<Result<void>()>& work) {
  std::optional<Result<void>> result;
  std::thread thread([&] {
    ignore_syncs();
    result = work();
  });
  thread.join();
  return std::move(*result);
}

}  // namespace slipway::layer
