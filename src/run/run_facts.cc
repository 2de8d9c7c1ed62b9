#include "run/run_facts.h"

#include <array>
#include <nlohmann/json.hpp>

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

/// The fields of an object, each with a value where it is absent or of another type.
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
    return found != object_.end() && found->is_number_integer() ? found->get<T>() : otherwise;
  }
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

Result<Json> parse_object(std::string_view text, std::string_view what) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || Fields(json).number<int>("schema") != 1) {
    return make_error(ErrorKind::Corrupt, "the {} of a run cannot be read", what);
  }
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
  facts.restart = TRY(parse_restart_policy(fields.text("restart")));
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
      if (gid.is_number_unsigned()) facts.additional_gids.push_back(gid.get<gid_t>());
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
  if (word == kStatusWords.end()) {
    return make_error(ErrorKind::Corrupt, "the state of a run cannot be read");
  }
  state.status = static_cast<RunStatus>(word - kStatusWords.begin());
  state.room_pid = fields.number<pid_t>("room_pid");
  state.room_birth = fields.number<std::uint64_t>("room_birth");
  state.monitor_pid = fields.number<pid_t>("monitor_pid");
  state.program_pid = fields.number<pid_t>("program_pid");
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
