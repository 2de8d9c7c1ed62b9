/// How the answer of `slipway slim` looks.
#pragma once

#include <optional>
#include <string>

#include "plan/slim_image.h"

namespace slipway::cli {

/// What was asked, and what came of it: `made` is empty for a dry run.
struct SlimAnswer {
  const plan::StoredImage& image;
  const plan::SlimRequest& request;
  const plan::SlimPlan& plan;
  std::string name;  ///< of the slim image
  std::optional<plan::SlimImage> made = {};
};

/// What gave up how much, what stayed and why, the rules; the total in the last lines.
std::string slim_table(const SlimAnswer& answer);

/// docs/formats/slim.md, with a newline at the end.
std::string slim_json(const SlimAnswer& answer);

/// The rules of `--drop`, with what each costs.
std::string drop_rules_text();

}  // namespace slipway::cli
