#include "plan/runs.h"

#include <charconv>

#include "plan/run_image.h"
#include "plan/stored_images.h"

namespace slipway::plan {

std::string runs_folder(const Tools& tools) { return join_path(tools.store_folder, "runs"); }

Result<std::vector<run::KnownRun>> list_runs(const Tools& tools) {
  return run::list_runs(runs_folder(tools));
}

Result<run::KnownRun> find_run(std::string_view word, const Tools& tools) {
  return run::find_run(runs_folder(tools), word);
}

Result<RunUser> find_run_user(const run::KnownRun& run, const std::string& user,
                              const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const Digest digest = TRY(parse_digest(run.facts.image_digest));
  const StoredImage image = TRY(read_stored_image(store, run.facts.image, digest));
  const ImageIds ids = TRY(find_image_ids(image, user, tools));
  return RunUser{ids.uid, ids.gid};
}

Result<std::string> read_receipt(const run::KnownRun& run) {
  const std::string text =
      TRY_WHILE("reading the receipt", read_file(join_path(run.folder, "receipt.json")));
  return run::complete_receipt(text);
}

Result<UtcTime> parse_since(std::string_view text, UtcTime now) {
  std::chrono::seconds total{0};
  std::string_view rest = text;
  while (!rest.empty()) {
    long long count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error != std::errc() || end == rest.data() + rest.size()) break;
    const char unit = *end;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
    if (unit == 's') {
      total += std::chrono::seconds(count);
    } else if (unit == 'm') {
      total += std::chrono::minutes(count);
    } else if (unit == 'h') {
      total += std::chrono::hours(count);
    } else if (unit == 'd') {
      total += std::chrono::hours(24 * count);
    } else {
      return parse_utc_time(text);
    }
  }
  if (rest.empty() && !text.empty()) return now - total;
  return parse_utc_time(text);
}

}  // namespace slipway::plan
