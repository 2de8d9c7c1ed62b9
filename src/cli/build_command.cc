#include <fmt/format.h>

#include "base/child_process.h"
#include "base/size_text.h"
#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "cli/image_json.h"
#include "cli/push_text.h"
#include "plan/build_image.h"
#include "plan/lock_digests.h"
#include "plan/lock_project.h"
#include "plan/push_image.h"
#include "plan/push_layers_ahead.h"

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

Result<void> tell(const Invocation& call, const plan::BuiltImage& image, Reporter& reporter) {
  if (call.has("json")) return print(json_text(image));
  reporter.done(fmt::format(
      "{} `{}`: {} layers, {} compressed, {}", image.was_complete ? "nothing to do for" : "built",
      image.reference, image.layers.size(), size_text(image.size_bytes()), image.digest.text()));
  return {};
}

/// Where `--push` wants it. Without it, what goes with it alone is refused.
Result<std::optional<plan::ImagePlace>> find_target(const Invocation& call,
                                                    const plan::Tools& tools) {
  const auto target = call.find("push");
  const bool is_insecure = call.has("insecure");
  if (!target) {
    if (!is_insecure) return std::optional<plan::ImagePlace>();
    return make_error(ErrorKind::InvalidInput, "`--insecure` is about the registry of `--push`");
  }
  const store::ImageName name = TRY(store::parse_image_name(*target));
  return std::optional(TRY(plan::find_place(
      name, is_insecure ? registry::Trust::Insecure : registry::Trust::Checked, tools)));
}

/// All that is not there yet; `ahead` is what is there already.
Result<int> push(const Digest& image, const plan::ImagePlace& place, const plan::SentAhead& ahead,
                 const plan::Tools& tools) {
  const plan::StoredImage stored = TRY(plan::find_stored_image(image.text(), tools));
  plan::PushedImage pushed = TRY(plan::push_image(stored, place, {}, tools));
  pushed.sent += ahead.sent;
  pushed.mounted += ahead.mounted;
  pushed.sent_bytes += ahead.sent_bytes;
  tools.reporter.done(push_text(pushed));
  return 0;
}

class Build {
 public:
  Build(const Invocation& call, const plan::ProjectFolder& project, const spec::Lock& lock,
        plan::Tools& tools)
      : call_(call), project_(project), lock_(lock), tools_(tools) {
    if (call.has("no-bytecode")) request_.bytecode = plan::Bytecode::No;
    if (call.has("no-check")) request_.proof = plan::Proof::Skip;
    if (call.has("locked")) request_.digests = plan::Digests::Held;
  }

  Result<int> run(const std::optional<plan::ImagePlace>& place) {
    if (const auto image = TRY(plan::find_built_image(project_, lock_, request_, tools_))) {
      TRY(end(*image));
      return place ? push(image->digest, *place, {}, tools_) : 0;
    }
    // Before much is downloaded:
    TRY_WHILE("building", check_ids(ids_));
    if (place) TRY(plan::check_registry(*place, tools_));
    TRY(plan::fetch_for_build(project_, lock_, request_.bytecode, tools_));
    if (place) return make_and_push(*place);
    TRY(make());
    return 0;
  }

 private:
  Result<Digest> make() {
    TRY(act_as_root(ids_, tools_));
    const plan::BuiltImage image = TRY(plan::build_image(project_, lock_, request_, tools_));
    TRY(end(image));
    return image.digest;
  }

  /// A process of its own makes the image, and is the only one that speaks until it ends.
  Result<int> make_and_push(const plan::ImagePlace& place) {
    ChildProcess builder = TRY(ChildProcess::fork());
    if (builder.is_child()) {
      const plan::LayerNews news(builder.take_pipe());
      request_.on_layer = [&](const plan::ImageLayer& layer) { news.tell(layer); };
      news.tell_built(TRY(make()));
      return 0;
    }
    const auto ahead = plan::push_layers_ahead(builder.pipe(), place, tools_);
    if (!ahead.ok()) builder.stop();
    const int status = TRY(builder.wait());
    if (status != 0 && (ahead.ok() || ahead.error().kind == ErrorKind::Cancelled)) return status;
    if (!ahead.ok()) return ahead.error();
    if (!ahead->built) return make_error(ErrorKind::Io, "the build ended, and told of no image");
    return push(*ahead->built, place, *ahead, tools_);
  }

  Result<void> end(const plan::BuiltImage& image) {
    record(project_, lock_, image, request_, tools_);
    return tell(call_, image, tools_.reporter);
  }

  const Invocation& call_;
  const plan::ProjectFolder& project_;
  const spec::Lock& lock_;
  plan::Tools& tools_;
  plan::BuildRequest request_;
  UserNamespaceRequest ids_{project_.spec.user.uid, project_.spec.user.uid};
};

Result<int> run(const Invocation& call, Context& context) {
  const plan::ProjectFolder project = TRY(plan::open_project(context.folder));
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const auto place = TRY(find_target(call, tools));
  const spec::Lock lock = TRY(lock_of(project, call, tools));
  return Build(call, project, lock, tools).run(place);
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
           {"--push", "NAME", "send it to a registry, each layer as soon as it is made"},
           {"--insecure", "", "that registry may speak http, or have any certificate"},
           json_option()},
          {{"slipway build", "lock if need be, download what is missing, build, prove"},
           {"slipway build --locked --json",
            "in CI: the lock's image and no other; the digests as JSON"}},
          run};
}

}  // namespace slipway::cli
