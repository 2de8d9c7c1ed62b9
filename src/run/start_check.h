/// The check of a container before its command runs (`run --verify`).
#pragma once

#include "run/life.h"
#include "run/prepare.h"

namespace slipway::run {

/// Lets the container come as far as its first instruction, holds it there, compares it with its
/// bundle (container_check.h) and, where it has GPUs, lets CUDA compute inside (cuda_trial.h). One
/// note says what agreed; then the command goes on. Blocks, for CUDA up to two minutes. Fails with
/// Denied where something differs: the container must not go on then.
Result<void> check_before_start(LifeRequest& life, PreparedRun& prepared, const Room& created);

}  // namespace slipway::run
