#include "run/usage.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/process_stat.h"
#include "run/limits.h"
#include "run/record.h"

namespace slipway::run {
namespace {

std::string text_of(const std::string& path) {
  Result<std::string> text = read_file(path);
  return text.ok() ? std::move(*text) : std::string();
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

/// Of io.stat's `rbytes=…`, or of blkio's `8:0 Read …`, over all devices.
std::uint64_t add_up(std::string_view text, std::string_view before) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; (at = text.find(before, at)) != std::string_view::npos;) {
    at += before.size();
    sum += number_in(text.substr(at)).value_or(0);
  }
  return sum;
}

std::string v1_path(std::string_view controller, const std::string& group, std::string_view file) {
  return fmt::format("{}/{}{}/{}", kCgroupFolder, controller, group, file);
}

bool read_v2(const std::string& group, Usage& usage) {
  const std::string folder = kCgroupFolder + group;
  const std::string cpu = text_of(folder + "/cpu.stat");
  const std::string memory = text_of(folder + "/memory.current");
  if (cpu.empty()) return false;
  usage.cpu_microseconds = find_counter(cpu, "usage_usec").value_or(0);
  const std::uint64_t cached =
      find_counter(text_of(folder + "/memory.stat"), "inactive_file").value_or(0);
  const std::uint64_t all = number_in(memory).value_or(0);
  usage.memory_bytes = all - std::min(all, cached);
  usage.memory_limit_bytes = number_in(text_of(folder + "/memory.max"));
  usage.processes = number_in(text_of(folder + "/pids.current")).value_or(0);
  const std::string io = text_of(folder + "/io.stat");
  usage.read_bytes = add_up(io, "rbytes=");
  usage.written_bytes = add_up(io, "wbytes=");
  return !memory.empty();
}

bool read_v1(const std::string& group, Usage& usage) {
  const std::string memory = text_of(v1_path("memory", group, "memory.usage_in_bytes"));
  const std::string cpu = text_of(v1_path("cpuacct", group, "cpuacct.usage"));
  if (memory.empty() || cpu.empty()) return false;
  usage.cpu_microseconds = number_in(cpu).value_or(0) / 1000;
  const std::uint64_t cached =
      find_counter(text_of(v1_path("memory", group, "memory.stat")), "total_inactive_file")
          .value_or(0);
  const std::uint64_t all = number_in(memory).value_or(0);
  usage.memory_bytes = all - std::min(all, cached);
  const auto limit = number_in(text_of(v1_path("memory", group, "memory.limit_in_bytes")));
  // Version 1 says "none" with the largest multiple of a page.
  if (limit && *limit < (1ULL << 60)) usage.memory_limit_bytes = limit;
  const std::string io = text_of(v1_path("blkio", group, "blkio.throttle.io_service_bytes"));
  usage.read_bytes = add_up(io, " Read ");
  usage.written_bytes = add_up(io, " Write ");
  return true;
}

/// Fields 14 and 15 (ticks of user and system) and 24 (pages) of proc_pid_stat(5).
void add_process(pid_t pid, Usage& usage) {
  const std::string text = text_of(fmt::format("/proc/{}/stat", pid));
  constexpr int kUserTicks = 14, kSystemTicks = 15, kPages = 24;
  if (process_stat_field(text, kPages).empty()) return;
  const auto number = [&](int field) {
    return number_in(process_stat_field(text, field)).value_or(0);
  };
  const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::uint64_t spent = number(kUserTicks) + number(kSystemTicks);
  usage.cpu_microseconds += spent * 1'000'000 / ticks;
  const std::string memory = text_of(fmt::format("/proc/{}/smaps_rollup", pid));
  // Pages that several processes share are shared out; where we may not look, all count.
  const auto shared_out = find_counter(memory, "Pss:");
  usage.memory_bytes += shared_out
                            ? *shared_out * 1024
                            : number(kPages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  ++usage.processes;
}

/// proc_pid_net(5): every interface but `lo`, where the network is not ours.
void read_network(pid_t pid, Usage& usage) {
  const std::string ours = own_namespace("net");
  const std::string theirs = namespace_of(pid, "net");
  if (ours.empty() || theirs.empty() || ours == theirs) return;
  const std::string text = text_of(fmt::format("/proc/{}/net/dev", pid));
  std::string_view rest(text);
  usage.received_bytes = 0;
  usage.sent_bytes = 0;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || line.substr(0, colon).ends_with("lo")) continue;
    std::vector<std::uint64_t> numbers;
    std::string_view tail = line.substr(colon + 1);
    while (!tail.empty()) {
      tail.remove_prefix(std::min(tail.find_first_not_of(' '), tail.size()));
      const std::size_t end = std::min(tail.find(' '), tail.size());
      if (end > 0) numbers.push_back(number_in(tail.substr(0, end)).value_or(0));
      tail.remove_prefix(end);
    }
    if (numbers.size() < 9) continue;
    *usage.received_bytes += numbers[0];
    *usage.sent_bytes += numbers[8];
  }
}

}  // namespace

std::optional<std::uint64_t> find_counter(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return number_in(line);
  }
  return std::nullopt;
}

bool ran_out_of_memory(const std::string& group) {
  if (group.empty()) return false;
  const std::string v2 = text_of(kCgroupFolder + group + "/memory.events");
  const std::string v1 = text_of(v1_path("memory", group, "memory.oom_control"));
  return find_counter(v2, "oom_kill").value_or(0) > 0 ||
         find_counter(v1, "oom_kill").value_or(0) > 0;
}

std::vector<pid_t> list_processes(const KnownRun& run) {
  std::vector<pid_t> pids;
  const std::string space = namespace_of(run.state.program_pid, "pid");
  const Result<std::vector<std::string>> names = list_folder("/proc");
  if (space.empty() || !names.ok()) return pids;
  for (const std::string& name : *names) {
    const auto pid = number_in(name);
    if (pid && namespace_of(static_cast<pid_t>(*pid), "pid") == space)
      pids.push_back(static_cast<pid_t>(*pid));
  }
  return pids;
}

Result<Usage> read_usage(const KnownRun& run) {
  Usage usage;
  if (!run.state.group.empty() &&
      (read_v2(run.state.group, usage) || read_v1(run.state.group, usage))) {
    usage.from = Usage::From::Group;
  } else {
    usage = {};
  }
  const std::vector<pid_t> processes = list_processes(run);
  if (processes.empty()) {
    return make_error(ErrorKind::NotFound, "the run `{}` has ended", run.facts.name);
  }
  if (usage.from == Usage::From::Processes) {
    for (const pid_t pid : processes) add_process(pid, usage);
  } else {
    usage.processes = processes.size();
  }
  read_network(run.state.program_pid, usage);
  return usage;
}

}  // namespace slipway::run
