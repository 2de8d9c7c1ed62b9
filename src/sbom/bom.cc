#include "sbom/bom.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace slipway::sbom {

void finish(Bom& bom) {
  std::ranges::stable_sort(bom.components, [](const Component& a, const Component& b) {
    return std::tie(a.id, a.place) < std::tie(b.id, b.place);
  });
  std::set<std::string> ids;
  for (const Component& component : bom.components) ids.insert(component.id);
  std::set<std::string> seen;
  for (Component& component : bom.components) {
    const std::string id = component.id;
    for (int number = 2; !seen.insert(component.id).second; ++number) {
      component.id = fmt::format("{}-{}", id, number);
      if (ids.contains(component.id)) component.id = id;
    }
  }
  for (Component& component : bom.components) {
    std::ranges::sort(component.needs);
    component.needs.erase(std::unique(component.needs.begin(), component.needs.end()),
                          component.needs.end());
    std::erase_if(component.needs,
                  [&](const std::string& id) { return id == component.id || !seen.contains(id); });
  }
  std::ranges::sort(bom.components, {}, &Component::id);
}

}  // namespace slipway::sbom
