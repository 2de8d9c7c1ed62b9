#include "run/volumes.h"

#include <doctest/doctest.h>

namespace slipway::run {
namespace {

TEST_CASE("what a volume may be, by where it lies") {
  struct Case {
    const char* source;
    const char* place;
    Access access;
    const char* refusal;  ///< empty: allowed
  };
  constexpr Access kWrite = Access::ReadWrite, kRead = Access::ReadOnly;
  for (const Case& c : {
           Case{"/data", "/data", kWrite, ""},
           Case{"/data", "/mnt/big", kWrite, ""},
           Case{"/process", "/process", kWrite, ""},
           Case{"/dev/shm/x", "/dev/shm/x", kWrite, ""},
           Case{"/", "/", kRead, ""},
           Case{"/store/layers", "/store/layers", kRead, ""},
           Case{"/storeroom", "/storeroom", kWrite, ""},
           Case{"/", "/", kWrite, "`/` would hand over the whole machine, writable"},
           Case{"/x", "/", kWrite,
                "`/x` leads to `/`, which would hand over the whole machine, writable"},
           Case{"/proc", "/proc", kRead, "`/proc` lies in `/proc`, which is the system's"},
           Case{"/x", "/sys/kernel", kRead,
                "`/x` leads to `/sys/kernel`, which lies in `/sys`, which is the system's"},
           Case{"/x", "/dev/sda", kRead,
                "`/x` leads to `/dev/sda`, which lies in `/dev`, which is the system's"},
           Case{"/x", "/store/layers/1", kWrite,
                "`/x` leads to `/store/layers/1`, which lies in Slipway's store, whose bytes "
                "images rely on"},
       }) {
    CAPTURE(c.source);
    CAPTURE(c.place);
    const Result<void> checked = check_volume_source({c.source, "/v", c.access}, c.place, "/store");
    CHECK((checked.ok() ? "" : checked.error().message) == c.refusal);
  }
}

}  // namespace
}  // namespace slipway::run
