#include "plan/start_run.h"

#include "base/file.h"
#include "plan/cdi_devices.h"

namespace slipway::plan {

Result<EndedRun> read_ended_run(const run::KnownRun& run, const Tools& tools) {
  const std::string path = join_path(run.folder, "request.json");
  if (!path_exists(path)) {
    return make_error(ErrorKind::Unsupported, "the run `{}` cannot be started again",
                      run.facts.name)
        .reason("it was made by a Slipway that did not keep its volumes and limits")
        .hint("`slipway run` makes a new one; what it wrote lies under `" +
              join_path(run.folder, "upper") + "`");
  }
  const std::string text = TRY(read_file(path));
  EndedRun ended{TRY_WHILE("reading `" + path + "`", parse_kept_flags(text)), {}};
  TRY(find_cdi_devices(ended.kept.flags));
  ended.kept.flags.again = run.facts;
  ended.kept.flags.attendance = RunFlags::Attendance::Detached;
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const Digest digest = TRY(parse_digest(run.facts.image_digest));
  ended.image = TRY(read_stored_image(store, run.facts.image, digest));
  return ended;
}

Result<run::DetachedStart> start_again(const EndedRun& run, run::RunRequest::Attach attach,
                                       const Tools& tools) {
  RunFlags flags = run.kept.flags;
  flags.attach = attach;
  RunEnd end =
      TRY(run_image(run.image, flags, run.kept.ceilings ? &*run.kept.ceilings : nullptr, tools));
  return run::DetachedStart{std::move(end.id), end.status, std::move(end.attached)};
}

}  // namespace slipway::plan
