/// The only door to the clock on the wall. What measures how long something takes has the steady
/// clock.
#pragma once

#include "base/utc_time.h"

namespace slipway {

UtcTime utc_now();

}  // namespace slipway
