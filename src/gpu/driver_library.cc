#include "gpu/driver_library.h"

#include "gpu/compatibility_row.h"

namespace slipway::gpu {

extern const std::string_view kDriverLibraryText;

Result<std::vector<DriverLibrary>> parse_driver_libraries(std::string_view text) {
  std::vector<DriverLibrary> libraries;
  TRY(read_rows(text, [&](std::string_view kind, Row& row) {
    if (kind != "driver_library") return false;
    libraries.push_back({row.text("name"), row.text("capability")});
    return true;
  }));
  return libraries;
}

const std::vector<DriverLibrary>& driver_libraries() {
  static const std::vector<DriverLibrary> libraries =
      parse_driver_libraries(kDriverLibraryText).value();
  return libraries;
}

const DriverLibrary* find_driver_library(std::string_view file_name) {
  for (const DriverLibrary& library : driver_libraries()) {
    if (!file_name.starts_with(library.name)) continue;
    const std::string_view rest = file_name.substr(library.name.size());
    if (rest == ".so" || rest.starts_with(".so.")) return &library;
  }
  return nullptr;
}

}  // namespace slipway::gpu
