// Any bytes as a file of /etc/cdi: it is read or refused, and what is read can be selected from,
// its hooks understood or not.
#include "cdi/catalogue.h"
#include "cdi/hooks.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace slipway;
  auto spec = cdi::parse_spec({reinterpret_cast<const char*>(data), size});
  if (!spec.ok()) return 0;
  const cdi::Catalogue catalogue{{"/f"}, {{"/f/a.yaml", 0, *spec}}, {}};
  for (const cdi::Device& device : spec->devices) {
    const std::string name = spec->kind + "=" + device.name;
    const auto selection = cdi::select_devices(catalogue, {name, name});
    if (!selection.ok() || device.edits.is_empty()) __builtin_trap();
    for (const cdi::Hook& hook : selection->edits.hooks) {
      (void)cdi::find_effects(hook);
      (void)cdi::describe_hook(hook);
    }
  }
  if (cdi::select_devices(catalogue, {spec->kind + "=:"}).ok()) __builtin_trap();
  return 0;
}
