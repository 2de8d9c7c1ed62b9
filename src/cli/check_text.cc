#include "cli/check_text.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/plain_text.h"

namespace slipway::cli {
namespace {

using gpu::Finding;
using gpu::Verdict;

constexpr std::size_t kMostNamed = 4;
constexpr std::string_view kNeeds = "needs ";

std::string coloured(std::string_view text, Verdict verdict, Colour colour) {
  if (colour == Colour::No) return std::string(text);
  const char* code = verdict == Verdict::Ok ? "32" : verdict == Verdict::Broken ? "1;31" : "33";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

/// Pads by hand: colour codes take no room on the screen.
std::string verdict_column(Verdict verdict, Colour colour) {
  const std::string_view word = gpu::word_of(verdict);
  return coloured(word, verdict, colour) + std::string(9 - word.size(), ' ');
}

class TextTable {
 public:
  explicit TextTable(Colour colour) : colour_(colour) {}

  void add(std::string_view layer, Verdict verdict, std::string_view what,
           std::string_view remedy) {
    out_ += fmt::format("{:<11}{}{}\n", layer == last_ ? "" : layer,
                        verdict_column(verdict, colour_), plain_text(what));
    if (!remedy.empty()) out_ += fmt::format("{:20}-> {}\n", "", plain_text(remedy));
    last_ = layer;
  }
  std::string take() { return std::move(out_); }

 private:
  Colour colour_;
  std::string out_;
  std::string last_;
};

std::string subject_of(const Finding& finding) {
  return finding.gpu.empty() ? finding.subject
                             : fmt::format("{} on {}", finding.subject, finding.gpu);
}

/// `torch 2.6.0, torchvision 0.21.0 and 9 more`.
std::string some_of(const std::vector<std::string>& names) {
  const std::size_t named = names.size() > kMostNamed + 1 ? kMostNamed : names.size();
  std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(named), ", "));
  if (named < names.size()) text += fmt::format(" and {} more", names.size() - named);
  return text;
}

/// What is fine for one GPU in one line: torch first, the reason told of it alone.
void add_fine_gpus(std::span<const Finding> findings, TextTable& table) {
  std::map<std::string, std::vector<const Finding*>> by_gpu;
  for (const Finding& finding : findings) {
    if (finding.layer == "gpu" && finding.verdict == Verdict::Ok)
      by_gpu[finding.gpu].push_back(&finding);
  }
  for (auto& [gpu, fine] : by_gpu) {
    const auto torch = std::find_if(fine.begin(), fine.end(), [](const Finding* one) {
      return one->subject.starts_with("torch ");
    });
    if (torch != fine.end()) std::rotate(fine.begin(), torch, torch + 1);
    std::vector<std::string> rest;
    for (std::size_t i = 1; i < fine.size(); ++i) rest.push_back(fine[i]->subject);
    std::string text = fmt::format("{}: {}", subject_of(*fine[0]), fine[0]->reason);
    if (!rest.empty()) text += fmt::format("; code for it in {}, too", some_of(rest));
    table.add("gpu", Verdict::Ok, text, "");
  }
}

bool is_slow_library(const Finding& finding) {
  return finding.layer == "gpu" && finding.verdict == Verdict::Slow &&
         finding.subject.starts_with("nvidia-");
}

bool is_missing(const Finding& finding) {
  return finding.layer == "system" && finding.verdict != Verdict::Ok &&
         finding.reason.starts_with(kNeeds);
}

/// NVIDIA's libraries that are older than a GPU are so together: one line for each GPU.
void add_slow_libraries(std::span<const Finding> findings, TextTable& table) {
  std::map<std::string, std::vector<std::string>> by_gpu;
  std::map<std::string, const Finding*> first;
  for (const Finding& finding : findings) {
    if (!is_slow_library(finding)) continue;
    by_gpu[finding.gpu].push_back(finding.subject);
    first.emplace(finding.gpu, &finding);
  }
  for (const auto& [gpu, subjects] : by_gpu) {
    const Finding& one = *first.at(gpu);
    if (subjects.size() == 1) {
      table.add("gpu", Verdict::Slow, fmt::format("{}: {}", subject_of(one), one.reason),
                one.remedy);
    } else {
      table.add("gpu", Verdict::Slow,
                fmt::format("{} of NVIDIA's packages on {} have no machine code for it: {}",
                            subjects.size(), gpu, some_of(subjects)),
                "");
    }
  }
}

/// What a package misses, in one line for each remedy: `needs a, b and 9 more, and …`.
void add_missing(std::span<const Finding> findings, TextTable& table) {
  std::vector<std::pair<const Finding*, std::vector<std::string>>> groups;
  for (const Finding& finding : findings) {
    if (!is_missing(finding)) continue;
    const std::string what = finding.reason.substr(0, finding.reason.find(", and "));
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& known) {
      return known.first->subject == finding.subject && known.first->remedy == finding.remedy &&
             known.first->verdict == finding.verdict;
    });
    if (group == groups.end()) group = groups.insert(groups.end(), {&finding, {}});
    const std::string name = what.substr(kNeeds.size());
    if (std::find(group->second.begin(), group->second.end(), name) == group->second.end())
      group->second.push_back(name);
  }
  for (const auto& [first, names] : groups) {
    const std::size_t comma = first->reason.find(", and ");
    const std::string because = comma == std::string::npos ? "" : first->reason.substr(comma);
    table.add("system", first->verdict,
              fmt::format("{}: {}{}{}", first->subject, kNeeds, some_of(names), because),
              first->remedy);
  }
}

void add_findings(std::span<const Finding> findings, TextTable& table) {
  bool told_fine = false, told_slow = false, told_missing = false;
  for (const Finding& finding : findings) {
    if (is_missing(finding)) {
      if (!told_fine) add_fine_gpus(findings, table);
      if (!told_missing) add_missing(findings, table);
      told_fine = told_missing = true;
      continue;
    }
    if (is_slow_library(finding)) {
      if (!told_slow) add_slow_libraries(findings, table);
      told_slow = true;
      continue;
    }
    if (finding.layer != "gpu" && !told_fine) {
      add_fine_gpus(findings, table);
      told_fine = true;
    }
    if (finding.layer == "gpu" && finding.verdict == Verdict::Ok) continue;
    table.add(finding.layer, finding.verdict,
              fmt::format("{}: {}", subject_of(finding), finding.reason), finding.remedy);
  }
  if (!told_fine) add_fine_gpus(findings, table);
}

std::size_t count(std::span<const Finding> findings, Verdict verdict) {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const Finding& finding) { return finding.verdict == verdict; }));
}

std::string asked_of(const gpu::HostQuestion& host) {
  std::vector<std::string> parts;
  for (const gpu::GpuModel& gpu : host.gpus)
    parts.push_back(gpu.name.starts_with("sm_")
                        ? gpu.name
                        : fmt::format("{} ({})", gpu.name, gpu.capability.text()));
  if (host.driver) parts.push_back("driver " + host.driver->text());
  if (!host.cuda_compat.empty()) parts.push_back("cuda-compat " + host.cuda_compat);
  if (!host.glibc.empty()) parts.push_back("glibc " + host.glibc);
  if (parts.empty()) return "no GPU and no driver were asked about";
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string last_line(const plan::HostVerdict& host, Colour colour) {
  std::vector<std::string> counts;
  for (const Verdict verdict : {Verdict::Broken, Verdict::Unknown, Verdict::Slow}) {
    if (const std::size_t n = count(host.findings, verdict))
      counts.push_back(fmt::format("{} {}", n, gpu::word_of(verdict)));
  }
  std::string text = coloured(gpu::word_of(host.verdict), host.verdict, colour);
  if (!counts.empty()) text += fmt::format(" ({})", fmt::join(counts, ", "));
  return text;
}

nlohmann::ordered_json text_or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

}  // namespace

Verdict worst_of(std::span<const plan::HostVerdict> hosts) {
  Verdict worst = Verdict::Ok;
  for (const plan::HostVerdict& host : hosts) worst = std::max(worst, host.verdict);
  return worst;
}

std::string check_table(const std::string& environment, std::span<const plan::HostVerdict> hosts,
                        Colour colour) {
  std::string out;
  for (const plan::HostVerdict& host : hosts) {
    if (!out.empty()) out += "\n";
    out +=
        plain_text(fmt::format("{}{}, for {}", host.host.name.empty() ? "" : host.host.name + ": ",
                               environment, asked_of(host.host))) +
        "\n";
    TextTable table(colour);
    add_findings(host.findings, table);
    out += table.take();
    out += last_line(host, colour) + "\n";
  }
  return out;
}

std::string check_json(std::span<const plan::HostVerdict> hosts) {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  const bool is_fleet = hosts.size() > 1 || (hosts.size() == 1 && !hosts[0].host.name.empty());
  nlohmann::ordered_json verdicts = nlohmann::ordered_json::array();
  for (const plan::HostVerdict& host : hosts) {
    verdicts.push_back(
        {{"name", text_or_null(host.host.name)}, {"verdict", gpu::word_of(host.verdict)}});
    for (const Finding& finding : host.findings) {
      nlohmann::ordered_json row{{"layer", finding.layer},
                                 {"subject", finding.subject},
                                 {"file", text_or_null(finding.file)},
                                 {"gpu", text_or_null(finding.gpu)},
                                 {"verdict", gpu::word_of(finding.verdict)},
                                 {"reason", finding.reason},
                                 {"remedy", text_or_null(finding.remedy)}};
      if (is_fleet) row["host"] = host.host.name;
      findings.push_back(std::move(row));
    }
  }
  nlohmann::ordered_json answer{
      {"schema", 1}, {"verdict", gpu::word_of(worst_of(hosts))}, {"findings", std::move(findings)}};
  if (is_fleet) answer["hosts"] = std::move(verdicts);
  // Paths may hold any bytes.
  return answer.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace slipway::cli
