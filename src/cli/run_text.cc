#include "cli/run_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/plain_text.h"

namespace slipway::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestCommand = 24;

std::string duration_text(std::chrono::milliseconds time) {
  const long long seconds = std::max<long long>(time.count() / 1000, 0);
  const auto text = [](long long count, const char* unit) {
    return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
  };
  if (seconds < 60) return text(seconds, "second");
  if (seconds < 3600) return text(seconds / 60, "minute");
  if (seconds < 2 * 86400) return text(seconds / 3600, "hour");
  return text(seconds / 86400, "day");
}

std::string command_text(const std::vector<std::string>& command) {
  std::string text = plain_text(fmt::format("{}", fmt::join(command, " ")));
  if (text.size() > kLongestCommand) text = text.substr(0, kLongestCommand - 1) + "…";
  return "\"" + text + "\"";
}

/// Of a run that goes on: a dead one publishes nothing.
std::string ports_text(const run::KnownRun& run) {
  return run.is_alive ? fmt::format("{}", fmt::join(run.state.ports, ", ")) : "";
}

Json time_of(const std::optional<UtcTime>& time) {
  return time ? Json(utc_time_text(*time)) : Json(nullptr);
}

}  // namespace

std::string status_text(const run::KnownRun& run, UtcTime now) {
  const run::RunState& state = run.state;
  const auto ago = [&](const std::optional<UtcTime>& time) {
    return time ? duration_text(now - *time) + " ago" : std::string("before it had started");
  };
  switch (state.status) {
    case run::RunStatus::Created:
      return "Created";
    case run::RunStatus::Running:
      return "Up " + duration_text(now - state.started.value_or(now)) +
             (state.loss.empty() ? "" : " (lost its GPUs)");
    case run::RunStatus::Restarting:
      return fmt::format("Restarting ({}) {}", state.exit_status, ago(state.finished));
    case run::RunStatus::Exited:
      return fmt::format("Exited ({}) {}", state.exit_status, ago(state.finished));
    case run::RunStatus::Lost:
      return "Lost (its monitor was killed)";
  }
  return "";
}

std::string ps_table(const std::vector<run::KnownRun>& runs, UtcTime now) {
  struct Row {
    std::string id, image, command, created, status, ports, name;
  };
  std::vector<Row> rows{
      {"CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"}};
  for (const run::KnownRun& run : runs) {
    rows.push_back({run.facts.id.substr(0, 12), run.facts.image, command_text(run.facts.command),
                    duration_text(now - run.facts.created) + " ago", status_text(run, now),
                    ports_text(run), run.facts.name});
  }
  std::size_t image = 0, command = 0, created = 0, status = 0, ports = 0;
  for (const Row& row : rows) {
    image = std::max(image, row.image.size());
    command = std::max(command, row.command.size());
    created = std::max(created, row.created.size());
    status = std::max(status, row.status.size());
    ports = std::max(ports, row.ports.size());
  }
  std::string table;
  for (const Row& row : rows) {
    table += fmt::format("{:<12}   {:<{}}   {:<{}}   {:<{}}   {:<{}}   {:<{}}   {}\n", row.id,
                         row.image, image, row.command, command, row.created, created, row.status,
                         status, row.ports, ports, row.name);
  }
  return table;
}

std::string ps_json(const std::vector<run::KnownRun>& runs) {
  Json list = Json::array();
  for (const run::KnownRun& run : runs) {
    list.push_back({{"id", run.facts.id},
                    {"name", run.facts.name},
                    {"image", run.facts.image},
                    {"image_digest", run.facts.image_digest},
                    {"command", run.facts.command},
                    {"status", run::status_word(run.state.status)},
                    {"created", utc_time_text(run.facts.created)},
                    {"started", time_of(run.state.started)},
                    {"finished", time_of(run.state.finished)},
                    {"exit_status", run.is_alive ? Json(nullptr) : Json(run.state.exit_status)},
                    {"restarts", run.state.restarts},
                    {"ports", run.is_alive ? Json(run.state.ports) : Json::array()},
                    {"pid", run.state.program_pid > 0 && run.is_alive ? Json(run.state.program_pid)
                                                                      : Json(nullptr)},
                    {"labels", run.facts.labels}});
  }
  return Json{{"schema", 1}, {"runs", list}}.dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string run_page(const run::KnownRun& run, const std::string& receipt) {
  const Json page = {{"schema", 1},
                     {"id", run.facts.id},
                     {"name", run.facts.name},
                     {"status", run::status_word(run.state.status)},
                     {"started", time_of(run.state.started)},
                     {"finished", time_of(run.state.finished)},
                     {"exit_status", run.is_alive ? Json(nullptr) : Json(run.state.exit_status)},
                     {"out_of_memory", run.state.out_of_memory},
                     {"loss", run.state.loss.empty() ? Json(nullptr) : Json(run.state.loss)},
                     {"error", run.state.error.empty() ? Json(nullptr) : Json(run.state.error)},
                     {"restarts", run.state.restarts},
                     {"restart", run::restart_text(run.facts.restart)},
                     {"labels", run.facts.labels},
                     {"folder", run.folder},
                     {"receipt", Json::parse(receipt, nullptr, /*allow_exceptions=*/false)}};
  return page.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string json_text(const std::vector<run::ReceiptDifference>& differences) {
  Json list = Json::array();
  for (const run::ReceiptDifference& one : differences) {
    list.push_back({{"place", one.place}, {"one", one.one}, {"other", one.other}});
  }
  return Json{{"schema", 1}, {"differences", list}}.dump(2) + "\n";
}

Result<bool> matches_filter(const run::KnownRun& run, const std::string& filter) {
  const std::size_t equals = filter.find('=');
  const std::string key = filter.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : filter.substr(equals + 1);
  if (key == "id") return run.facts.id.starts_with(value);
  if (key == "name") return run.facts.name.find(value) != std::string::npos;
  if (key == "image" || key == "ancestor") {
    return run.facts.image == value || run.facts.image == value + ":latest" ||
           run.facts.image_digest == value;
  }
  if (key == "status") return run::status_word(run.state.status) == value;
  if (key == "exited") {
    return run.state.status == run::RunStatus::Exited &&
           fmt::format("{}", run.state.exit_status) == value;
  }
  if (key == "label") {
    const std::size_t second = value.find('=');
    const auto label = run.facts.labels.find(value.substr(0, second));
    if (label == run.facts.labels.end()) return false;
    return second == std::string::npos || label->second == value.substr(second + 1);
  }
  return make_error(ErrorKind::InvalidInput, "`--filter {}` cannot be read", filter)
      .hint("the keys are id, name, image, status, exited and label, as in `status=exited`");
}

}  // namespace slipway::cli
