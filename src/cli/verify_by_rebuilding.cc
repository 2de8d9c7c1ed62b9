#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "cli/verify_modes.h"
#include "plan/verify_build.h"

namespace slipway::cli {
namespace {

using From = plan::BuildDifference::From;

/// The named image; else the project's, where it is there.
Result<std::optional<plan::StoredImage>> image_to_verify(const Invocation& call,
                                                         const plan::ProjectFolder& project,
                                                         const plan::Tools& tools) {
  if (!call.operands.empty()) {
    return std::optional(TRY(plan::find_stored_image(call.operands[0], tools)));
  }
  auto image = plan::find_stored_image(project.spec.image.reference(), tools);
  if (image.ok()) return std::optional(std::move(image).value());
  if (image.error().kind != ErrorKind::NotFound) return image.error();
  tools.reporter.note("the project's image is not in the store: comparing with the lock alone");
  return std::optional<plan::StoredImage>();
}

std::string json_of(const plan::VerifiedBuild& build) {
  using Json = nlohmann::ordered_json;
  const auto digest = [](const std::optional<Digest>& one) {
    return one ? Json(one->text()) : Json(nullptr);
  };
  Json differences = Json::array();
  for (const plan::BuildDifference& one : build.differences) {
    differences.push_back({{"from", one.from == From::Lock ? "lock" : "image"},
                           {"what", one.what},
                           {"text", one.text},
                           {"where", one.where.empty() ? Json(nullptr) : Json(one.where)}});
  }
  const Json answer{{"schema", 1},
                    {"same", build.differences.empty()},
                    {"rebuilt", build.rebuilt.text()},
                    {"lock", digest(build.locked)},
                    {"image", digest(build.stored)},
                    {"differences", std::move(differences)}};
  return answer.dump(2) + "\n";
}

Error error_of(const plan::VerifiedBuild& build) {
  constexpr std::size_t kMost = 20;
  Error error = make_error(ErrorKind::Corrupt, "built again, it is another image");
  for (const plan::BuildDifference& one : build.differences) {
    if (error.because.size() == kMost) {
      error.because.push_back(
          fmt::format("{} more: `--json` lists all", build.differences.size() - kMost));
      break;
    }
    error.because.push_back(
        fmt::format("{}{}", one.text,
                    one.where.empty() ? "" : fmt::format("; first difference: {}", one.where)));
  }
  return error;
}

}  // namespace

Result<int> verify_by_rebuilding(const Invocation& call, Context& context) {
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  auto found = plan::open_project(context.folder);
  if (!found.ok()) {
    return std::move(found).error().hint("`--key FILE` checks who signed an image, and needs none");
  }
  const plan::ProjectFolder project = std::move(found).value();
  const spec::Lock lock = TRY(plan::read_matching_lock(project));
  auto image = TRY(image_to_verify(call, project, tools));

  const UserNamespaceRequest ids{project.spec.user.uid, project.spec.user.uid};
  TRY_WHILE("verifying", check_ids(ids));  // before much is downloaded
  auto verifier = TRY(plan::BuildVerifier::start(project, lock, std::move(image), tools));
  TRY(verifier.fetch());
  TRY(act_as_root(ids, tools));
  const plan::VerifiedBuild build = TRY(verifier.verify(tools.owner));

  if (call.has("json")) {
    TRY(print(json_of(build)));
    return build.differences.empty() ? 0 : 1;
  }
  if (!build.differences.empty()) return error_of(build);
  context.reporter.done(fmt::format("the same once more, {} layers: {}{}", build.layers,
                                    build.rebuilt.text(),
                                    build.locked ? "" : " (slipway.lock has no digests)"));
  return 0;
}

}  // namespace slipway::cli
