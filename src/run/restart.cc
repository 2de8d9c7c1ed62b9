#include "run/restart.h"

#include <algorithm>
#include <charconv>

namespace slipway::run {
namespace {

constexpr std::chrono::milliseconds kShortest{100};
constexpr std::chrono::milliseconds kLongest{60'000};
constexpr std::chrono::milliseconds kGoodLife{10'000};

}  // namespace

Result<RestartPolicy> parse_restart_policy(std::string_view text) {
  using When = RestartPolicy::When;
  if (text == "no") return RestartPolicy{};
  if (text == "always") return RestartPolicy{When::Always, 0};
  if (text == "unless-stopped") return RestartPolicy{When::UnlessStopped, 0};
  static constexpr std::string_view kOnFailure = "on-failure";
  if (text == kOnFailure) return RestartPolicy{When::OnFailure, 0};
  if (text.starts_with(kOnFailure) && text[kOnFailure.size()] == ':') {
    const std::string_view digits = text.substr(kOnFailure.size() + 1);
    int most = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), most);
    if (error == std::errc() && end == digits.data() + digits.size() && most > 0) {
      return RestartPolicy{When::OnFailure, most};
    }
  }
  return make_error(ErrorKind::InvalidInput, "`--restart {}` cannot be read", text)
      .hint("use `no`, `on-failure`, `on-failure:5`, `always` or `unless-stopped`");
}

std::string restart_text(const RestartPolicy& policy) {
  switch (policy.when) {
    case RestartPolicy::When::No:
      return "no";
    case RestartPolicy::When::OnFailure:
      return policy.most > 0 ? fmt::format("on-failure:{}", policy.most) : "on-failure";
    case RestartPolicy::When::Always:
      return "always";
    case RestartPolicy::When::UnlessStopped:
      return "unless-stopped";
  }
  return "no";
}

bool should_restart(const RestartPolicy& policy, const LifeEnd& end) {
  if (end.was_stopped) return false;
  switch (policy.when) {
    case RestartPolicy::When::No:
      return false;
    case RestartPolicy::When::OnFailure:
      return end.status != 0 && (policy.most == 0 || end.restarts < policy.most);
    case RestartPolicy::When::Always:
    case RestartPolicy::When::UnlessStopped:
      return true;
  }
  return false;
}

std::chrono::milliseconds BackOff::next(std::chrono::milliseconds lived) {
  delay_ = lived >= kGoodLife ? kShortest : std::clamp(delay_ * 2, kShortest, kLongest);
  return delay_;
}

}  // namespace slipway::run
