#include "base/user_namespace.h"
#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "cli/each_run.h"
#include "plan/start_run.h"

namespace slipway::cli {
namespace {

/// A process can enter one user namespace only, made for one user of an image.
class Starter {
 public:
  explicit Starter(plan::Tools& tools) : tools_(tools) {}

  Result<run::DetachedStart> start(const run::KnownRun& run, run::RunRequest::Attach attach) {
    const plan::EndedRun ended = TRY(plan::read_ended_run(run, tools_));
    const plan::ImageSpace space = TRY(plan::find_image_space(ended.image, tools_));
    if (!may_start(space)) {
      const bool is_lazy = space.lazy && space.lazy != entered_->lazy;
      return make_error(
                 ErrorKind::Unsupported, "`{}` {} than those before it", run.facts.name,
                 is_lazy ? "uses an image that comes lazily, another one" : "is for another user")
          .hint(fmt::format("start it by itself: `slipway start {}`", run.facts.name));
    }
    TRY(act_as_root_in(space, ended.image, tools_));
    entered_ = space;
    return plan::start_again(ended, attach, tools_);
  }

 private:
  bool may_start(const plan::ImageSpace& space) const {
    if (!entered_ || !in_user_namespace()) return true;
    const bool is_shown = !space.lazy || space.lazy == entered_->lazy;
    return is_shown && (space.ids == entered_->ids || has_one_id());
  }

  plan::Tools& tools_;
  std::optional<plan::ImageSpace> entered_;
};

Result<void> start_one(const run::KnownRun& run, Starter& starter) {
  if (run.goes_on()) return {};
  const run::DetachedStart start = TRY(starter.start(run, run::RunRequest::Attach::No));
  if (start.status == 0) return {};
  return make_error(ErrorKind::Io, "the command of `{}` could not be run", run.facts.name);
}

/// As docker: with `-i` what is typed goes in, with `-a` alone it does not.
Result<int> start_and_attach(const Invocation& call, plan::Tools& tools) {
  const run::KnownRun found = TRY(plan::find_run(call.operands.front(), tools));
  const bool reads = call.has("interactive") && found.facts.has_input;
  run::AttachWish wish;
  if (!reads) wish.reads = run::AttachWish::Reads::Nothing;
  if (const auto keys = call.find("detach-keys")) {
    wish.detach_keys = TRY(run::parse_detach_keys(*keys));
  }
  run::AttachEnd end;
  if (found.goes_on()) {
    end = TRY(run::attach_to_run(found, wish));
  } else {
    using Attach = run::RunRequest::Attach;
    run::DetachedStart start =
        TRY(Starter(tools).start(found, reads ? Attach::Input : Attach::Output));
    if (start.status != 0) return start.status;
    end = TRY(run::attach_through(std::move(start.attached), found, wish));
  }
  if (end.kind == run::AttachEnd::Kind::Ended) return end.status;
  tools.reporter.note(fmt::format("detached; `{}` goes on", found.facts.name));
  return 0;
}

Result<int> start(const Invocation& call, Context& context) {
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  if (call.has("attach") || call.has("interactive")) {
    if (call.operands.size() == 1) return start_and_attach(call, tools);
    return make_error(ErrorKind::InvalidInput, "only one run can be started and attached to")
        .hint("leave out `-a` and `-i`, or name one run");
  }
  Starter starter(tools);
  return for_each_run(call.operands, tools, [&](const run::KnownRun& run, const plan::Tools&) {
    return start_one(run, starter);
  });
}

}  // namespace

Command start_command() {
  return {"start",
          "start runs that have ended once more, with what they wrote",
          Operand::Many,
          "RUN",
          {{"-a,--attach", "", "show what it writes, and wait for it: its exit status is ours"},
           {"-i,--interactive", "", "the same, and pass standard input on (of a run with -i)"},
           {"--detach-keys", "KEYS", "in place of ctrl-p,ctrl-q"}},
          {{"slipway start train", "in the background, whatever it was before"},
           {"slipway start -ai shell", "a shell that was left: its files are there"}},
          start};
}

}  // namespace slipway::cli
