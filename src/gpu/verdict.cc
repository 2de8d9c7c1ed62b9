#include "gpu/verdict.h"

#include <algorithm>
#include <array>

#include "gpu/environment_view.h"

namespace slipway::gpu {
namespace {

constexpr std::array<std::string_view, 5> kLayers = {"gpu", "driver", "cuda", "framework",
                                                     "system"};

std::size_t place_of(const Finding& finding) {
  return static_cast<std::size_t>(std::find(kLayers.begin(), kLayers.end(), finding.layer) -
                                  kLayers.begin());
}

void sort_findings(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    if (place_of(a) != place_of(b)) return place_of(a) < place_of(b);
    return a.verdict > b.verdict;
  });
}

}  // namespace

std::string_view word_of(Verdict verdict) {
  constexpr std::array<std::string_view, 4> kWords = {"ok", "slow", "unknown", "broken"};
  return kWords.at(static_cast<std::size_t>(verdict));
}

std::vector<Finding> judge(const Environment& environment, const HostQuestion& question,
                           const CompatibilityTables& tables) {
  std::vector<Finding> findings = judge_code(environment, question, tables);
  judge_system(environment, EnvironmentView(environment), question, findings);
  sort_findings(findings);
  return findings;
}

std::vector<Finding> judge_code(const Environment& environment, const HostQuestion& question,
                                const CompatibilityTables& tables) {
  const EnvironmentView view(environment);
  std::vector<Finding> findings;
  judge_gpus(view, question, tables, findings);
  judge_driver(view, question, tables, findings);
  judge_pairs(view, question, tables, findings);
  sort_findings(findings);
  return findings;
}

Verdict overall(std::span<const Finding> findings) {
  Verdict worst = Verdict::Ok;
  for (const Finding& finding : findings) {
    if (finding.verdict != Verdict::Slow) worst = std::max(worst, finding.verdict);
  }
  return worst;
}

}  // namespace slipway::gpu
