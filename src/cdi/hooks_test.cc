#include "cdi/hooks.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::cdi;

namespace {

Hook hook(std::string path, std::vector<std::string> arguments,
          std::string name = "createContainer") {
  return {std::move(name), std::move(path), std::move(arguments), {}, {}};
}

}  // namespace

TEST_CASE("hooks that Slipway can do itself") {
  const char* cdi_hook = "/usr/bin/nvidia-cdi-hook";
  const char* ctk = "/usr/bin/nvidia-ctk";
  const HookEffects nothing;
  const struct {
    const char* name;
    Hook hook;
    std::optional<HookEffects> expected;
  } cases[] = {
      {"links",
       hook(cdi_hook, {"nvidia-cdi-hook", "create-symlinks", "--link",
                       "libcuda.so.1::/usr/lib/libcuda.so", "--link=../card1::/dev/dri/by-path/x"}),
       HookEffects{{{"/usr/lib/libcuda.so", "libcuda.so.1"}, {"/dev/dri/by-path/x", "../card1"}},
                   {}}},
      {"links by the older program",
       hook(ctk, {"nvidia-ctk", "hook", "create-symlinks", "--link", "a::b/c", "--link", "a::b/c"}),
       HookEffects{{{"/b/c", "a"}}, {}}},
      {"loader",
       hook(cdi_hook, {"nvidia-cdi-hook", "update-ldcache", "--ldconfig-path", "/sbin/ldconfig",
                       "--folder", "/usr/lib64", "--folder", "/opt/lib"}),
       HookEffects{{}, {"/usr/lib64", "/opt/lib"}}},
      {"loader without folders", hook(cdi_hook, {"x", "update-ldcache"}), nothing},
      {"modes of folders that are open",
       hook(cdi_hook, {"x", "chmod", "--mode", "755", "--path", "/dev/dri"}), nothing},
      {"nodes that nobody can make", hook(cdi_hook, {"x", "disable-device-node-modification"}),
       nothing},
      {"modes elsewhere", hook(cdi_hook, {"x", "chmod", "--mode", "755", "--path", "/etc"}), {}},
      {"other modes", hook(cdi_hook, {"x", "chmod", "--mode", "777", "--path", "/dev/dri"}), {}},
      {"another program",
       hook("/usr/bin/other-hook", {"x", "create-symlinks", "--link", "a::b"}),
       {}},
      {"another time", hook(cdi_hook, {"x", "create-symlinks", "--link", "a::b"}, "prestart"), {}},
      {"another deed", hook(cdi_hook, {"x", "enable-cuda-compat"}), {}},
      {"no words", hook(cdi_hook, {}), {}},
      {"only a program", hook(cdi_hook, {"nvidia-cdi-hook"}), {}},
      {"not its form", hook(ctk, {"nvidia-ctk", "create-symlinks", "--link", "a::b"}), {}},
      {"half a link", hook(cdi_hook, {"x", "create-symlinks", "--link", "a"}), {}},
      {"a link without place", hook(cdi_hook, {"x", "create-symlinks", "--link", "a::"}), {}},
      {"a link without target", hook(cdi_hook, {"x", "create-symlinks", "--link", "::a"}), {}},
      {"three parts", hook(cdi_hook, {"x", "create-symlinks", "--link", "a::b::c"}), {}},
      {"a lone option", hook(cdi_hook, {"x", "create-symlinks", "--link"}), {}},
      {"an unknown option", hook(cdi_hook, {"x", "create-symlinks", "--container-spec", "x"}), {}},
      {"a relative folder", hook(cdi_hook, {"x", "update-ldcache", "--folder", "lib"}), {}},
  };
  for (const auto& one : cases) {
    INFO(one.name);
    CHECK(find_effects(one.hook) == one.expected);
  }
  CHECK(describe_hook(hook(ctk, {"nvidia-ctk", "hook", "chmod", "--mode"})) ==
        "`createContainer` of `/usr/bin/nvidia-ctk hook chmod`");
}
