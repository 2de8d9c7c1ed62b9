/// Any bytes as what registries, helpers and configuration files say.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "registry/challenge.h"
#include "registry/docker_config.h"
#include "spec/registries_conf.h"

using namespace slipway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const registry::Challenge& one : registry::parse_challenges(text)) {
    if (one.scheme.empty()) __builtin_trap();
  }
  if (const auto config = registry::parse_docker_config(text, "config.json"); config.ok()) {
    (void)registry::find_login(*config, "host.example", "team/x");
  }
  (void)registry::parse_helper_answer(text, "helper");
  if (const auto conf = spec::parse_registries_conf(text, "registries.conf"); conf.ok()) {
    if (const auto* known = conf->find("host.example/team/x")) {
      (void)spec::relocate(*known, "host.example/team/x");
    }
  }
  return 0;
}
