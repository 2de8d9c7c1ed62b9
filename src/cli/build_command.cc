#include <fmt/format.h>

#include "base/size_text.h"
#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "cli/image_json.h"
#include "plan/build_image.h"
#include "plan/lock_digests.h"
#include "plan/lock_project.h"

namespace slipway::cli {
namespace {

/// The lock as it stands with --locked; otherwise brought up to date first, as cargo and uv do.
Result<spec::Lock> lock_of(const plan::ProjectFolder& project, const Invocation& call,
                           const plan::Tools& tools) {
  if (!call.has("locked")) {
    plan::LockOutcome outcome = TRY(plan::lock_project(project, {}, tools));
    if (outcome.changed) tools.reporter.done(fmt::format("wrote `{}`", project.lock_file()));
    return std::move(outcome.lock);
  }
  return plan::read_matching_lock(project);
}

/// What `build` alone makes is written down; a variant of it is not. The image is built either way.
void record(const plan::ProjectFolder& project, const spec::Lock& lock,
            const plan::BuiltImage& image, const plan::BuildRequest& request,
            const plan::Tools& tools) {
  if (request.digests == plan::Digests::Held) {
    if (lock.image && lock.image->manifest) return;
    return tools.reporter.note(
        fmt::format("`{}` does not have the image's digests yet: `slipway build` writes them",
                    project.lock_file()));
  }
  if (request.bytecode == plan::Bytecode::No) return;
  const Result<std::string> line = plan::record_build(project, lock, image, tools);
  if (!line.ok()) {
    tools.reporter.warn(fmt::format("the image's digests are not in `{}`: {}", project.lock_file(),
                                    line.error().message));
  } else if (!line->empty()) {
    tools.reporter.done(*line);
  }
}

Result<plan::BuiltImage> built(const plan::ProjectFolder& project, const spec::Lock& lock,
                               const plan::BuildRequest& request, plan::Tools& tools) {
  if (auto image = TRY(plan::find_built_image(project, lock, request, tools))) {
    return std::move(*image);
  }
  const UserNamespaceRequest ids{project.spec.user.uid, project.spec.user.uid};
  TRY_WHILE("building", check_ids(ids));  // before much is downloaded
  TRY(plan::fetch_for_build(project, lock, tools));
  TRY(act_as_root(ids, tools));
  return plan::build_image(project, lock, request, tools);
}

Result<int> run(const Invocation& call, Context& context) {
  plan::BuildRequest request;
  if (call.has("no-bytecode")) request.bytecode = plan::Bytecode::No;
  if (call.has("no-check")) request.proof = plan::Proof::Skip;
  if (call.has("locked")) request.digests = plan::Digests::Held;

  const plan::ProjectFolder project = TRY(plan::open_project(context.folder));
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const spec::Lock lock = TRY(lock_of(project, call, tools));
  const plan::BuiltImage image = TRY(built(project, lock, request, tools));
  record(project, lock, image, request, tools);

  if (call.has("json")) {
    TRY(print(json_text(image)));
    return 0;
  }
  context.reporter.done(fmt::format(
      "{} `{}`: {} layers, {} compressed, {}", image.was_complete ? "nothing to do for" : "built",
      image.reference, image.layers.size(), size_text(image.size_bytes()), image.digest.text()));
  return 0;
}

}  // namespace

Command build_command() {
  return {"build",
          "make the image from the lock",
          Operand::None,
          "",
          {{"--locked", "", "exactly slipway.lock: its packages, and the digests in it, or fail"},
           {"--no-bytecode", "", "leave out the compiled Python files: faster now, slower starts"},
           {"--no-check", "", "skip the proof that every library finds what it needs"},
           json_option()},
          {{"slipway build", "lock if need be, download what is missing, build, prove"},
           {"slipway build --locked --json",
            "in CI: the lock's image and no other; the digests as JSON"}},
          run};
}

}  // namespace slipway::cli
