#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/all_commands.h"
#include "plan/lock_project.h"

namespace slipway::cli {
namespace {

Result<plan::LockRequest> request_of(const Invocation& call) {
  using Upgrade = plan::LockRequest::Upgrade;
  plan::LockRequest request;
  request.older_form = plan::LockRequest::OlderForm::Complete;
  request.packages = call.all("upgrade-package");
  if (!request.packages.empty()) request.upgrade = Upgrade::Named;
  if (call.has("upgrade")) {
    request.upgrade = call.operands.empty() ? Upgrade::Everything : Upgrade::Named;
    request.packages.insert(request.packages.end(), call.operands.begin(), call.operands.end());
  }
  if (const auto before = call.find("before")) {
    request.before = TRY_WHILE("reading `--before`", parse_utc_time(*before));
  }
  return request;
}

std::string json_of(const plan::ProjectFolder& project, const plan::LockOutcome& outcome) {
  nlohmann::ordered_json packages = nlohmann::ordered_json::array();
  for (const spec::LockedWheel& wheel : outcome.lock.wheels) {
    packages.push_back({{"kind", "wheel"},
                        {"name", wheel.name},
                        {"version", wheel.version},
                        {"file", wheel.file_name},
                        {"size", wheel.size_bytes},
                        {"digest", wheel.sha256.text()}});
  }
  for (const spec::LockedDeb& deb : outcome.lock.debs) {
    packages.push_back({{"kind", "deb"},
                        {"name", deb.name},
                        {"version", deb.version},
                        {"file", base_name(deb.path)},
                        {"size", deb.size_bytes},
                        {"digest", deb.sha256.text()}});
  }
  nlohmann::ordered_json base = nullptr;
  if (outcome.lock.base) {
    base = {{"image", outcome.lock.base->image},   {"digest", outcome.lock.base->digest.text()},
            {"os", outcome.lock.base->os},         {"glibc", outcome.lock.glibc},
            {"python", outcome.lock.base->python}, {"interpreter", outcome.lock.base->interpreter}};
  }
  const nlohmann::ordered_json answer{{"schema", 1},
                                      {"lock", project.lock_file()},
                                      {"changed", outcome.changed},
                                      {"changes", outcome.changes},
                                      {"base", std::move(base)},
                                      {"packages", std::move(packages)}};
  return answer.dump(2) + "\n";
}

Result<int> run(const Invocation& call, Context& context) {
  if (!call.operands.empty() && !call.has("upgrade")) {
    return make_error(ErrorKind::InvalidInput, "`slipway lock` does not know what to do with `{}`",
                      call.operands[0])
        .hint(fmt::format("to upgrade it: `slipway lock --upgrade {}`", call.operands[0]));
  }
  const plan::LockRequest request = TRY(request_of(call));
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const plan::ProjectFolder project = TRY(plan::open_project(context.folder));
  const plan::LockOutcome outcome = TRY(plan::lock_project(project, request, tools));
  if (call.has("json")) {
    TRY(print(json_of(project, outcome)));
    return 0;
  }
  for (const std::string& change : outcome.changes) context.reporter.done(change);
  const spec::Lock& lock = outcome.lock;
  std::string below;
  if (!lock.base || !lock.debs.empty())
    below = fmt::format("{} Debian packages{}", lock.debs.size(), lock.base ? ", " : "");
  if (lock.base)
    below += fmt::format("on `{}` with Python {} and glibc {}", lock.base->image, lock.base->python,
                         lock.glibc);
  context.reporter.done(fmt::format("{} `{}`: {} wheels, {}",
                                    outcome.changed ? "wrote" : "nothing to change in",
                                    project.lock_file(), lock.wheels.size(), below));
  return 0;
}

}  // namespace

Command lock_command() {
  return {
      "lock",
      "solve slipway.toml and write slipway.lock",
      Operand::Optional,
      "PACKAGE",
      {{"-U,--upgrade", "", "take newer versions: of PACKAGE, of the base image, or of everything"},
       {"-P,--upgrade-package", "NAME", "take a newer version of NAME (repeatable)"},
       {"--before", "DATE", "only wheels uploaded before: 2025-01-31, or with T12:00:00Z"},
       json_option()},
      {{"slipway lock", "write the lock, or leave it where nothing has changed"},
       {"slipway lock --upgrade pandas", "newer pandas, the rest as it is"}},
      run};
}

}  // namespace slipway::cli
