/// Images that a command only reads: of the store, or files that other tools made.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "cli/command.h"
#include "plan/incoming_image.h"
#include "plan/stored_images.h"
#include "plan/tools.h"

namespace slipway::cli {

struct ImageOperand {
  plan::StoredImage image;
  std::optional<plan::Incoming> incoming;  ///< of an archive: its blobs are in the store, unnamed
};

/// The path of an OCI layout or of an archive of `docker save`, if the word means one: with a `/`
/// in it, or ending in `.tar`, or where the store has no image of that name.
std::optional<std::string> find_archive_path(const std::string& word, const Context& context,
                                             const plan::Tools& tools);

/// Reads an archive's blobs into the store, where they stay until the next `slipway gc`. An archive
/// has to hold one image. NotFound, InvalidInput, and as plan::read_archive.
Result<ImageOperand> find_image_operand(const std::string& word, const Context& context,
                                        const plan::Tools& tools);

/// Steps into the namespace in which the files of the first image belong to whom they should
/// (acting_as_root.h), and unpacks what is not unpacked. No other thread may run.
Result<void> open_operands(std::span<ImageOperand> operands, plan::Tools& tools);

}  // namespace slipway::cli
