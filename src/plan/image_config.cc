// make_config of image_frame.h: how an image starts.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "plan/base_image.h"
#include "plan/image_frame.h"
#include "plan/image_modes.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The variable of that name in `NAME=value`s.
std::vector<std::string>::iterator find_variable(std::vector<std::string>& env,
                                                 std::string_view name) {
  return std::ranges::find_if(env, [&](const std::string& one) {
    return one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=';
  });
}

/// Ours in their order, with what the base says of others behind them.
std::vector<std::string> merge_env(std::vector<std::string> base, const std::string& home) {
  std::string path(kDefaultPath);
  if (const auto found = find_variable(base, "PATH"); found != base.end()) {
    path = found->substr(found->find('=') + 1);
  }
  std::vector<std::string> env{"PATH=/opt/venv/bin:" + path, "VIRTUAL_ENV=/opt/venv",
                               "HOME=" + home};
  for (const char* name : {"PATH", "VIRTUAL_ENV", "HOME"}) {
    const auto found = find_variable(base, name);
    if (found != base.end()) base.erase(found);
  }
  if (find_variable(base, "LANG") == base.end()) env.emplace_back("LANG=C.UTF-8");
  // Which driver files a GPU runtime brings in; never which GPUs: that is not for an image to
  // choose.
  if (find_variable(base, "NVIDIA_DRIVER_CAPABILITIES") == base.end()) {
    env.emplace_back("NVIDIA_DRIVER_CAPABILITIES=compute,utility");
  }
  env.insert(env.end(), base.begin(), base.end());
  return env;
}

std::size_t count_layers(const std::vector<oci::History>& history) {
  return static_cast<std::size_t>(std::ranges::count(history, false, &oci::History::empty_layer));
}

/// What of the base's configuration goes on, as with a Dockerfile's FROM. Its history only where it
/// tells of every layer: who reads it counts.
oci::ImageConfig inherit(const oci::ImageConfig* base) {
  if (base == nullptr) return {};
  oci::ImageConfig config;
  config.env = base->env;
  config.labels = base->labels;
  config.exposed_ports = base->exposed_ports;
  config.volumes = base->volumes;
  config.stop_signal = base->stop_signal;
  if (count_layers(base->history) == base->diff_ids.size()) config.history = base->history;
  return config;
}

}  // namespace

Result<oci::ImageConfig> make_config(const spec::Project& project, const spec::Lock& lock,
                                     const oci::ImageConfig* base) {
  const std::map<std::string, Command> commands = image_modes(project, lock);
  oci::ImageConfig config = inherit(base);
  config.created = "1980-01-01T00:00:00Z";
  config.platform.architecture = oci::go_architecture(project.target.architectures.front());
  config.platform.os = "linux";
  config.user =
      project.user.uid == 0 ? "0:0" : fmt::format("{}:{}", project.user.uid, project.user.uid);
  const std::string home = project.user.uid == 0 ? "/root" : "/home/" + project.user.name;
  config.env = merge_env(std::move(config.env), home);
  // A foreign base has no init of ours; a run brings the machine's (plan/foreign_init.h).
  if (!lock.base) config.entrypoint = {kInit, "--"};
  config.cmd = commands.at(TRY(default_mode(project, lock)));
  config.working_folder = kWorkspace;
  nlohmann::ordered_json modes = nlohmann::ordered_json::object();
  for (const auto& [name, command] : commands) modes[name] = command;
  for (const auto& [label, value] :
       {std::pair<std::string, std::string>{"org.opencontainers.image.title", project.image.name},
        {"org.opencontainers.image.version", project.image.tag},
        {kLockLabel, sha256(spec::write_solution(lock)).text()},
        {kModesLabel, modes.dump()}}) {
    config.labels[label] = value;
  }
  if (lock.base) {
    config.labels[kBaseNameLabel] = lock.base->image;
    config.labels[kBaseDigestLabel] = lock.base->digest.text();
  }
  return config;
}

}  // namespace slipway::plan
