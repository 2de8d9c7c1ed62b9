/// Any text as RECORD and as entry_points.txt. What is read must survive being written and read.
#include <cstddef>
#include <cstdint>

#include "layer/entry_points.h"
#include "layer/record_file.h"

using namespace slipway;
using namespace slipway::layer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto record = parse_record(text); record.ok()) {
    const auto again = parse_record(write_record(*record));
    if (!again.ok() || again->size() != record->size()) __builtin_trap();
  }
  if (const auto commands = parse_commands(text); commands.ok()) {
    for (const auto& [name, entry] : fit_versioned_commands(*commands, 3, 11)) {
      if (name.find('/') != std::string::npos || name.find('\n') != std::string::npos)
        __builtin_trap();
      if (make_script("/opt/venv/bin/python", entry).empty()) __builtin_trap();
    }
  }
  return 0;
}
