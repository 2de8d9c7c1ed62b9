#include "plan/notebook_run.h"

#include <algorithm>
#include <optional>

#include "plan/image_modes.h"
#include "plan/run_words.h"
#include "run/run_name.h"

namespace slipway::plan {
namespace {

constexpr std::uint16_t kPort = 8888;  // notebook_command()'s
constexpr std::size_t kTokenBytes = 24;
constexpr std::string_view kToken = "JUPYTER_TOKEN=";

bool is_notebook(const Command& command) {
  const Command& ours = notebook_command();
  return command.size() >= ours.size() && std::equal(ours.begin(), ours.end(), command.begin());
}

/// Of the host, for a browser there; nothing where no port leads to the notebook.
std::optional<std::string> find_address(const run::RunRequest& request) {
  if (request.network == run::Network::Host) return fmt::format("127.0.0.1:{}", kPort);
  for (const run::PortMap& map : request.ports) {
    const int offset = kPort - map.container_port;
    if (map.protocol != run::Protocol::Tcp || offset < 0 || offset >= map.count) continue;
    const bool is_any = map.address == "0.0.0.0" || map.address == "::";
    const bool is_ipv6 = map.address.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", is_ipv6 && !is_any ? "[" : "",
                       is_any ? std::string(run::kLoopback) : map.address,
                       is_ipv6 && !is_any ? "]" : "", map.host_port + offset);
  }
  return std::nullopt;
}

}  // namespace

Result<void> prepare_notebook(run::RunRequest& request, Reporter& reporter) {
  if (!is_notebook(request.command)) return {};
  if (request.network == run::Network::Host) {
    set_variable(request.environment, fmt::format("SLIPWAY_LISTEN={}", run::kLoopback));
  }
  const bool has_token = std::any_of(
      request.environment.begin(), request.environment.end(), [](const std::string& variable) {
        return variable.starts_with(kToken) && variable.size() > kToken.size();
      });
  const auto address = find_address(request);
  if (!address) {
    reporter.warn(fmt::format("nothing leads to the notebook: `-p {0}:{0}` does", kPort));
  }
  if (has_token) {
    if (address) reporter.note(fmt::format("JupyterLab: http://{}/lab", *address));
    return {};
  }
  const std::string token = run::hex_text(TRY(run::random_bytes(kTokenBytes)));
  std::erase(request.environment, std::string(kToken));
  request.environment.push_back(std::string(kToken) + token);
  if (address) reporter.note(fmt::format("JupyterLab: http://{}/lab?token={}", *address, token));
  return {};
}

}  // namespace slipway::plan
