#include "plan/build_label.h"

#include <fmt/format.h>

namespace slipway::plan {
namespace {

constexpr std::string_view kDigits = "0123456789";

/// Cuts a number off `rest`.
std::string_view take_digits(std::string_view& rest) {
  const std::string_view digits = rest.substr(0, rest.find_first_not_of(kDigits));
  rest.remove_prefix(digits.size());
  return digits;
}

/// `12.4` of `124`, `12` of `12`: CUDA's major versions have two digits.
std::string cuda_of(std::string_view digits) {
  if (digits.size() == 2) return std::string(digits);
  if (digits.size() != 3) return {};
  return fmt::format("{}.{}", digits.substr(0, 2), digits.substr(2));
}

/// `2.6` of `26`, `2.10` of `210`: torch's major versions have one.
std::string torch_of(std::string_view digits) {
  if (digits.size() < 2 || digits.size() > 3) return {};
  return fmt::format("{}.{}", digits.substr(0, 1), digits.substr(1));
}

/// `2.6` of `2.6cxx11abifalse`.
std::string dotted_series(std::string_view rest) {
  const std::string_view major = take_digits(rest);
  if (major.empty() || !rest.starts_with('.')) return {};
  rest.remove_prefix(1);
  const std::string_view minor = take_digits(rest);
  return minor.empty() ? std::string() : fmt::format("{}.{}", major, minor);
}

}  // namespace

BuildLabel read_build_label(std::string_view local) {
  BuildLabel label;
  if (local.starts_with("pt")) {
    local.remove_prefix(2);
    label.torch = torch_of(take_digits(local));
  }
  if (local.starts_with("cu")) {
    std::string_view rest = local.substr(2);
    const std::string_view digits = take_digits(rest);
    if (rest.empty() || rest.starts_with("torch") || !label.torch.empty())
      label.cuda = cuda_of(digits);
  }
  if (const std::size_t torch = local.find("torch"); torch != std::string_view::npos)
    label.torch = dotted_series(local.substr(torch + 5));
  if (local.ends_with("cxx11abitrue")) label.abi = CxxAbi::New;
  if (local.ends_with("cxx11abifalse")) label.abi = CxxAbi::Old;
  return label;
}

}  // namespace slipway::plan
