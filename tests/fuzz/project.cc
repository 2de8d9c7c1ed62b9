// slipway.toml and config.toml from a stranger: any bytes end in a value or an error with a place.
#include "spec/project.h"

#include "base/check.h"
#include "spec/host_config.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto project = slipway::spec::parse_project(text, "slipway.toml");
  if (project.ok()) {
    SLIPWAY_CHECK(!project->image.name.empty());
    for (const auto& [name, mode] : project->modes) SLIPWAY_CHECK(!mode.command.empty());
    for (const auto& path : project->code.copy) SLIPWAY_CHECK(!path.starts_with('/'));
  }
  if (!slipway::spec::parse_host_config(text, "config.toml").ok()) return 0;
  return 0;
}
