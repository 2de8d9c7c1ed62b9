#include "gpu/kernel_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/file.h"

namespace slipway::gpu {
namespace {

constexpr std::size_t kMostLogBytes = 8U << 20;

void parse_line(std::string_view line, std::vector<XidMessage>& found) {
  constexpr std::string_view kStart = "NVRM: Xid (PCI:";
  const std::size_t at = line.find(kStart);
  if (at == std::string_view::npos) return;
  line.remove_prefix(at + kStart.size());
  const std::size_t end = line.find("): ");
  if (end == std::string_view::npos || end > 20) return;
  XidMessage message{std::string(line.substr(0, end)), 0};
  line.remove_prefix(end + 3);
  const auto [stop, error] =
      std::from_chars(line.data(), line.data() + line.size(), message.number);
  if (error != std::errc() || stop == line.data()) return;
  std::erase_if(found, [&](const XidMessage& old) { return old.slot == message.slot; });
  found.push_back(std::move(message));
}

}  // namespace

std::vector<XidMessage> parse_xids(std::string_view log) {
  std::vector<XidMessage> found;
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size());
    parse_line(log.substr(0, end), found);
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return found;
}

std::vector<XidMessage> read_xids(const HostView& host) {
  const auto fd = open_file(host.at("/dev/kmsg"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (!fd.ok()) return {};
  // Each read gives one record (Documentation/ABI/testing/dev-kmsg); EPIPE: it was overwritten.
  std::string log;
  std::array<char, 8192> record{};
  while (log.size() < kMostLogBytes) {
    const ssize_t size = ::read(fd->get(), record.data(), record.size());
    if (size < 0 && (errno == EPIPE || errno == EINTR)) continue;
    if (size <= 0) break;
    log.append(record.data(), static_cast<std::size_t>(size));
  }
  return parse_xids(log);
}

XidMeaning find_xid_meaning(int number) {
  struct Row {
    int number;
    XidMeaning meaning;
  };
  // NVIDIA, "XID Errors" (GPU Deployment and Management documentation), the list of causes.
  static constexpr std::array<Row, 17> kRows{{
      {13, {"a program did something wrong on the GPU", Severity::Note}},
      {31, {"a program used memory that is not its own", Severity::Note}},
      {43, {"a program was stopped after an error", Severity::Note}},
      {45, {"a program was stopped, often after another error", Severity::Note}},
      {48, {"memory error that could not be corrected", Severity::Warning}},
      {62, {"the GPU's controller stopped", Severity::Warning}},
      {63, {"memory was repaired, or waits for a reset to be", Severity::Warning}},
      {64, {"memory could not be repaired", Severity::Warning}},
      {74, {"NVLink error", Severity::Warning}},
      {79, {"the GPU has fallen off the bus", Severity::Warning}},
      {92, {"many memory errors that could be corrected", Severity::Warning}},
      {94, {"memory error, contained to one program", Severity::Warning}},
      {95, {"memory error, not contained: every program on it is affected", Severity::Warning}},
      {119, {"the GPU's system processor does not answer", Severity::Warning}},
      {120, {"the GPU's system processor failed", Severity::Warning}},
      {140, {"memory error that was not corrected", Severity::Warning}},
      {154, {"the GPU asks for a reset", Severity::Warning}},
  }};
  const auto* const row =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.number == number; });
  return row != kRows.end() ? row->meaning
                            : XidMeaning{"see NVIDIA's list of Xid errors", Severity::Note};
}

}  // namespace slipway::gpu
