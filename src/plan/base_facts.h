/// What an environment must know of the image below it: its C library, its Python, its shell. Read
/// from bytes: nothing of the image is run.
#pragma once

#include <span>
#include <string>

#include "base/cancel.h"
#include "base/error.h"
#include "oci/image_config.h"
#include "plan/tar_tree.h"

namespace slipway::plan {

struct BaseFacts {
  std::string os;           ///< "debian 12"; empty: it does not say
  std::string glibc;        ///< "2.36"
  std::string python;       ///< "3.12.4"
  std::string interpreter;  ///< "/usr/local/bin/python3.12": no link
  std::string shell;        ///< "/bin/bash", else "/bin/sh"; empty: neither
  bool operator==(const BaseFacts&) const = default;
};

/// The tree of these layers (files, lowest first), with what find_base_facts looks at.
Result<TarTree> read_base_tree(std::span<const std::string> blobs, const CancelToken& cancel);

/// What to do with an image that has no Python 3: leave its fields empty, or refuse it.
enum class NoPython { Refused, Told };
/// The oldest that works has this number behind its 3.
inline constexpr int kOldestPython = 8;

/// `python` is that of slipway.toml, `3.12`; empty: whichever `python3` of the image's own PATH
/// leads to. `name` is for messages. Fails with Unsupported where no environment can stand on it
/// (no glibc, no Python 3, an environment of its own at /opt/venv), and with InvalidInput where it
/// has another Python than the one asked for. Pure.
Result<BaseFacts> find_base_facts(const TarTree& tree, const oci::ImageConfig& config,
                                  const std::string& python, const std::string& name,
                                  NoPython no_python = NoPython::Refused);

}  // namespace slipway::plan
