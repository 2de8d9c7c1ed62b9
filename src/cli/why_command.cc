#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"
#include "cli/all_commands.h"
#include "cli/deb_graph.h"
#include "cli/lock_graph.h"
#include "plan/explain_lock.h"
#include "plan/lock_project.h"

namespace slipway::cli {
namespace {

Error unknown_package(const std::string& text, const spec::Lock& lock) {
  std::vector<std::string> known;
  for (const spec::LockedWheel& wheel : lock.wheels) known.push_back(wheel.name);
  for (const spec::LockedDeb& deb : lock.debs) known.push_back(deb.name);
  Error error = make_error(ErrorKind::InvalidInput, "`{}` is not in slipway.lock", text);
  const auto nearest = find_nearest(text, known);
  if (!nearest.empty()) error.hints.push_back(did_you_mean(nearest));
  return error;
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::ProjectFolder project = TRY(plan::open_project(context.folder));
  const spec::Lock lock = TRY(plan::read_lock(project));
  const std::string& text = call.operands[0];
  if (const auto layer = plan::explain_layer(lock, text)) {
    TRY(print(*layer));
    return 0;
  }
  if (const spec::LockedWheel* wheel = plan::find_wheel(lock, text)) {
    TRY(print(draw_reasons(lock, *wheel) + plan::explain_wheel_layers(lock, *wheel)));
    return 0;
  }
  const auto deb = std::ranges::find(lock.debs, text, &spec::LockedDeb::name);
  if (deb == lock.debs.end()) return unknown_package(text, lock);
  TRY(print(draw_reasons(lock, *deb)));
  return 0;
}

}  // namespace

Command why_command() {
  return {"why",
          "show why a package or a layer is in slipway.lock",
          Operand::Required,
          "PACKAGE",
          {},
          {{"slipway why numpy", "who needs it, up to slipway.toml"},
           {"slipway why cuda",
            "what decides a layer below Python: cuda, driver, gpu, glibc or python"}},
          run};
}

}  // namespace slipway::cli
