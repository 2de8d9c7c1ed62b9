#include "cli/push_text.h"

#include <fmt/format.h>

#include "base/size_text.h"

namespace slipway::cli {

std::string push_text(const plan::PushedImage& pushed) {
  std::string signatures = pushed.signatures == 0 ? ""
                           : pushed.signatures == 1
                               ? "; 1 signature"
                               : fmt::format("; {} signatures", pushed.signatures);
  if (pushed.read_orders > 0) signatures += "; with what a start reads first";
  if (pushed.was_there) {
    return fmt::format("`{}` is there already: {}{}", pushed.name.text(), pushed.digest.text(),
                       signatures);
  }
  std::string text = fmt::format("pushed `{}`: {} of {} layers sent, {}", pushed.name.text(),
                                 pushed.sent, pushed.layers, size_text(pushed.sent_bytes));
  if (pushed.mounted > 0) text += fmt::format("; {} mounted", pushed.mounted);
  return text + "; " + pushed.digest.text() + signatures;
}

}  // namespace slipway::cli
