#include "cli/doctor_text.h"

#include <array>

#include "cli/plain_text.h"

namespace slipway::cli {
namespace {

using gpu::HostFinding;
using gpu::Severity;

constexpr std::array<const char*, 6> kLayers{"gpu",       "driver", "devices",
                                             "container", "system", "image"};
constexpr std::size_t kLayerWidth = 11;
constexpr std::size_t kWordWidth = 9;
constexpr std::size_t kIndent = kLayerWidth + kWordWidth;

std::string coloured(std::string_view text, const char* code, Colour colour) {
  return colour == Colour::Yes ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

const char* colour_of(Severity severity) {
  constexpr std::array<const char*, 4> kCodes{"32", "36", "33", "1;31"};
  return kCodes.at(static_cast<std::size_t>(severity));
}

/// Words on lines of at most `columns`, all but the first behind `indent` spaces.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
  std::string out;
  std::size_t used = indent;
  const std::string plain = plain_text(text);
  std::string_view rest = plain;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t width = columns_of(word);
    if (used > indent && used + 1 + width > columns) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (used > indent) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width;
  }
  return out + "\n";
}

void append_remedy(const HostFinding& finding, Colour colour, std::string& out) {
  std::string_view rest = finding.remedy;
  bool first = true;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    out += std::string(kIndent, ' ');
    out += first ? "mend: " : "      ";
    out += coloured(plain_text(rest.substr(0, end)), "1", colour) + "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
    first = false;
  }
}

std::string lines_of(const HostFinding& finding, std::string_view layer, Colour colour,
                     std::size_t columns) {
  const std::string word = fmt::format("{:<{}}", severity_name(finding.severity), kWordWidth);
  std::string out = fmt::format("{:<{}}{}", layer, kLayerWidth,
                                coloured(word, colour_of(finding.severity), colour));
  out += wrapped(finding.message, kIndent, columns);
  if (!finding.symptom.empty()) {
    out += std::string(kIndent, ' ') + "shows: ";
    out += wrapped(finding.symptom, kIndent + 7, columns);
  }
  append_remedy(finding, colour, out);
  return out;
}

std::string counted(std::size_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

std::string doctor_summary(const plan::Diagnosis& diagnosis) {
  const std::size_t broken = diagnosis.count(Severity::Broken);
  const std::size_t warnings = diagnosis.count(Severity::Warning);
  const std::string also =
      warnings > 0 ? ", " + counted(warnings, "warning", "warnings") : std::string();
  if (broken > 0) return counted(broken, "thing is broken", "things are broken") + also;
  return (diagnosis.has_gpu() ? "ready: images run here, on the GPU"
                              : "ready: images run here, on the CPU") +
         also;
}

std::string doctor_table(const plan::Diagnosis& diagnosis, Colour colour, std::size_t columns) {
  std::string out;
  for (const std::string_view layer : kLayers) {
    std::string_view title = layer;
    for (const HostFinding& finding : diagnosis.findings) {
      if (finding.layer != layer) continue;
      out += lines_of(finding, title, colour, columns);
      title = "";
    }
  }
  const Severity worst = diagnosis.is_broken()                    ? Severity::Broken
                         : diagnosis.count(Severity::Warning) > 0 ? Severity::Warning
                                                                  : Severity::Ok;
  return out + "\n" + coloured(doctor_summary(diagnosis), colour_of(worst), colour) + "\n";
}

}  // namespace slipway::cli
