/// How a diagnosis looks: a table for people, an object for programs.
#pragma once

#include <string>

#include "cli/print_error.h"
#include "plan/doctor.h"

namespace slipway::cli {

/// One line a finding, by layer; below those that are not fine how it shows and what mends it, and
/// at the end one sentence. Text is wrapped at `columns`, commands never are.
std::string doctor_table(const plan::Diagnosis& diagnosis, Colour colour, std::size_t columns);

/// docs/formats/doctor.md, with a newline at the end.
std::string doctor_json(const plan::Diagnosis& diagnosis);

/// The last sentence of the table.
std::string doctor_summary(const plan::Diagnosis& diagnosis);

}  // namespace slipway::cli
