#include "run/run_facts.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace slipway::run {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 5> kStatusWords{"created", "running", "restarting", "exited",
                                                       "lost"};

std::string text_of(const Json& json) {
  // Text from outside may not be UTF-8; a lone byte must not throw.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json time_of(const std::optional<UtcTime>& time) {
  return time ? Json(utc_time_text(*time)) : Json(nullptr);
}

/// Nothing where it does not fit: cut off, it would be another number.
template <typename T>
std::optional<T> number_in(const Json& json) {
  if (json.is_number_unsigned()) {
    const auto value = json.get<std::uint64_t>();
    return std::in_range<T>(value) ? std::optional(static_cast<T>(value)) : std::nullopt;
  }
  if (!json.is_number_integer()) return std::nullopt;
  const auto value = json.get<std::int64_t>();
  return std::in_range<T>(value) ? std::optional(static_cast<T>(value)) : std::nullopt;
}

/// The fields of an object, each with a value where it is absent or cannot be one.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  std::string text(const char* name) const {
    const auto found = object_.find(name);
    return found != object_.end() && found->is_string() ? found->get<std::string>() : "";
  }
  template <typename T>
  T number(const char* name, T otherwise = 0) const {
    const auto found = object_.find(name);
    return found != object_.end() ? number_in<T>(*found).value_or(otherwise) : otherwise;
  }
  /// To kill(2) and its kind, what is not above zero is more than one process.
  pid_t pid(const char* name) const { return std::max(number<pid_t>(name), 0); }
  bool flag(const char* name) const {
    const auto found = object_.find(name);
    return found != object_.end() && found->is_boolean() && found->get<bool>();
  }
  std::optional<UtcTime> time(const char* name) const {
    const Result<UtcTime> time = parse_utc_time(text(name));
    return time.ok() ? std::optional(*time) : std::nullopt;
  }
  std::vector<std::string> texts(const char* name) const {
    std::vector<std::string> list;
    const auto found = object_.find(name);
    if (found == object_.end() || !found->is_array()) return list;
    for (const Json& item : *found) {
      if (item.is_string()) list.push_back(item.get<std::string>());
    }
    return list;
  }

 private:
  const Json& object_;
};

Error unreadable(std::string_view what) {
  return make_error(ErrorKind::Corrupt, "the {} of a run cannot be read", what);
}

Result<Json> parse_object(std::string_view text, std::string_view what) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || Fields(json).number<int>("schema") != 1) return unreadable(what);
  return json;
}

}  // namespace

std::string_view status_word(RunStatus status) {
  return kStatusWords[static_cast<std::size_t>(status)];
}

std::string write_run_facts(const RunFacts& facts) {
  return text_of({{"schema", 1},
                  {"id", facts.id},
                  {"name", facts.name},
                  {"image", facts.image},
                  {"image_digest", facts.image_digest},
                  {"lock", facts.lock},
                  {"command", facts.command},
                  {"created", utc_time_text(facts.created)},
                  {"detached", facts.is_detached},
                  {"terminal", facts.has_terminal},
                  {"input", facts.has_input},
                  {"removes_itself", facts.removes_itself},
                  {"restart", restart_text(facts.restart)},
                  {"stop_signal", facts.stop_signal},
                  {"stop_seconds", facts.stop_seconds},
                  {"labels", facts.labels},
                  {"log_bytes", facts.log.most_bytes},
                  {"log_files", facts.log.most_files},
                  {"uid", facts.uid},
                  {"gid", facts.gid},
                  {"additional_gids", facts.additional_gids},
                  {"environment", facts.environment},
                  {"working_folder", facts.working_folder}});
}

std::string write_run_state(const RunState& state) {
  return text_of({{"schema", 1},
                  {"status", status_word(state.status)},
                  {"room_pid", state.room_pid},
                  {"room_birth", state.room_birth},
                  {"monitor_pid", state.monitor_pid},
                  {"program_pid", state.program_pid},
                  {"runtime", state.runtime},
                  {"group", state.group},
                  {"ports", state.ports},
                  {"started", time_of(state.started)},
                  {"finished", time_of(state.finished)},
                  {"exit_status", state.exit_status},
                  {"restarts", state.restarts},
                  {"was_stopped", state.was_stopped},
                  {"out_of_memory", state.out_of_memory},
                  {"error", state.error},
                  {"loss", state.loss}});
}

Result<RunFacts> parse_run_facts(std::string_view text) {
  const Json json = TRY(parse_object(text, "facts"));
  const Fields fields(json);
  RunFacts facts;
  facts.id = fields.text("id");
  facts.name = fields.text("name");
  facts.image = fields.text("image");
  facts.image_digest = fields.text("image_digest");
  facts.lock = fields.text("lock");
  facts.command = fields.texts("command");
  facts.created = fields.time("created").value_or(UtcTime{});
  facts.is_detached = fields.flag("detached");
  facts.has_terminal = fields.flag("terminal");
  facts.has_input = fields.flag("input");
  facts.removes_itself = fields.flag("removes_itself");
  const Result<RestartPolicy> restart = parse_restart_policy(fields.text("restart"));
  if (!restart.ok()) return unreadable("facts");
  facts.restart = *restart;
  facts.stop_signal = fields.number<int>("stop_signal", 15);
  facts.stop_seconds = fields.number<int>("stop_seconds", 10);
  if (const auto labels = json.find("labels"); labels != json.end() && labels->is_object()) {
    for (const auto& [name, value] : labels->items()) {
      if (value.is_string()) facts.labels[name] = value.get<std::string>();
    }
  }
  facts.log.most_bytes = fields.number<std::uint64_t>("log_bytes", facts.log.most_bytes);
  facts.log.most_files = fields.number<int>("log_files", facts.log.most_files);
  facts.uid = fields.number<uid_t>("uid");
  facts.gid = fields.number<gid_t>("gid");
  if (const auto gids = json.find("additional_gids"); gids != json.end() && gids->is_array()) {
    for (const Json& gid : *gids) {
      if (const auto number = number_in<gid_t>(gid)) facts.additional_gids.push_back(*number);
    }
  }
  facts.environment = fields.texts("environment");
  facts.working_folder = fields.text("working_folder");
  return facts;
}

Result<RunState> parse_run_state(std::string_view text) {
  const Json json = TRY(parse_object(text, "state"));
  const Fields fields(json);
  RunState state;
  const auto word = std::find(kStatusWords.begin(), kStatusWords.end(), fields.text("status"));
  if (word == kStatusWords.end()) return unreadable("state");
  state.status = static_cast<RunStatus>(word - kStatusWords.begin());
  state.room_pid = fields.pid("room_pid");
  state.room_birth = fields.number<std::uint64_t>("room_birth");
  state.monitor_pid = fields.pid("monitor_pid");
  state.program_pid = fields.pid("program_pid");
  state.runtime = fields.text("runtime");
  state.group = fields.text("group");
  state.ports = fields.texts("ports");
  state.started = fields.time("started");
  state.finished = fields.time("finished");
  state.exit_status = fields.number<int>("exit_status");
  state.restarts = fields.number<int>("restarts");
  state.was_stopped = fields.flag("was_stopped");
  state.out_of_memory = fields.flag("out_of_memory");
  state.error = fields.text("error");
  state.loss = fields.text("loss");
  return state;
}

}  // namespace slipway::run
