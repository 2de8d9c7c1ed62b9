#include "layer/debian_dpkg.h"

#include <algorithm>
#include <map>

#include "base/file.h"
#include "layer/deb_archive.h"

namespace slipway::layer {
namespace {

/// Each folder that holds packages, seen from inside as /tmp/debs/<n>.
struct DebFolders {
  std::map<std::string, std::string> inside_by_outside;

  std::string inside_path(const std::string& path) {
    const auto next = fmt::format("/tmp/debs/{}", inside_by_outside.size());
    const auto& folder = inside_by_outside.emplace(parent_path(path), next).first->second;
    return join_path(folder, base_name(path));
  }
  std::vector<SandboxBind> binds() const {
    std::vector<SandboxBind> binds;
    for (const auto& [outside, inside] : inside_by_outside) {
      binds.push_back({outside, inside, SandboxBind::Access::ReadOnly});
    }
    return binds;
  }
};

Error dpkg_error(const ProcessResult& result) {
  auto text = result.output + result.error_output;
  if (text.size() > 4000) text.erase(0, text.size() - 4000);
  return make_error(ErrorKind::Io,
                    "installing the Debian packages failed: dpkg ended with status {}",
                    result.status)
      .reason(std::move(text));
}

}  // namespace

Result<void> run_dpkg(SandboxRequest room, const std::vector<std::string>& options,
                      std::span<const std::string> paths, const CancelToken& cancel) {
  if (paths.empty() && options.back() != "--pending") return {};
  DebFolders folders;
  // Nobody needs the disk's promise for a tree that is thrown away when we are interrupted.
  room.arguments = {"/usr/bin/dpkg", "--force-unsafe-io", "--force-confold"};
  room.arguments.insert(room.arguments.end(), options.begin(), options.end());
  for (const auto& path : paths) room.arguments.push_back(folders.inside_path(path));
  for (auto& bind : folders.binds()) room.binds.push_back(std::move(bind));
  const auto result = TRY(run_in_sandbox(room, cancel));
  if (result.status != 0) return dpkg_error(result);
  return {};
}

SandboxRequest debian_room(const std::string& tree_folder) {
  SandboxRequest room;
  room.root = tree_folder;
  room.tmp = SandboxRequest::Tmp::Fresh;
  room.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      "HOME=/root",
                      "LC_ALL=C.UTF-8",
                      "TERM=dumb",
                      "DEBIAN_FRONTEND=noninteractive",
                      "DEBCONF_NONINTERACTIVE_SEEN=true",
                      "PERL_HASH_SEED=0",
                      "PYTHONHASHSEED=0",
                      fmt::format("SOURCE_DATE_EPOCH={}", kLayerTime)};
  return room;
}

Result<DebOrder> order_debs(std::span<const DebInput> debs) {
  std::vector<DebInput> sorted(debs.begin(), debs.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const DebInput& a, const DebInput& b) { return a.package < b.package; });
  std::vector<DebControl> controls;
  for (const auto& deb : sorted) {
    const auto text = TRY_WHILE("reading " + deb.package, read_deb_control(deb.path));
    controls.push_back(TRY_WHILE("reading " + deb.package, parse_deb_control(text)));
  }
  const auto plan = plan_install_order(controls);
  DebOrder order{{}, plan.base_count};
  for (const auto index : plan.order) order.paths.push_back(sorted[index].path);
  return order;
}

}  // namespace slipway::layer
