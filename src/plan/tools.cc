#include "plan/tools.h"

#include "base/environment.h"
#include "base/file.h"

namespace slipway::plan {

Tools with_reporter(const Tools& tools, Reporter& reporter) {
  return {reporter, tools.cancel, tools.store_folder, tools.cache_folder, tools.host, tools.owner};
}

Result<Tools> find_tools(Reporter& reporter, const CancelToken& cancel) {
  Tools tools{reporter, cancel, {}, {}, {}, store::Owner::current()};
  tools.store_folder = TRY(absolute_path(store_folder()));
  tools.cache_folder = TRY(absolute_path(cache_folder()));
  const std::string file = join_path(config_folder(), "config.toml");
  if (path_exists(file)) {
    const std::string text = TRY(read_file(file));
    tools.host = TRY(spec::parse_host_config(text, file));
  }
  for (std::string& folder : tools.host.bundles) {
    if (folder.starts_with("~/")) {
      folder = join_path(find_environment("HOME").value_or("/"), folder.substr(2));
    }
  }
  return tools;
}

}  // namespace slipway::plan
