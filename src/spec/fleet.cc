#include "spec/fleet.h"

#include <set>

#include "spec/reader.h"

namespace slipway::spec {
namespace {

constexpr std::size_t kMostBytes = 4 << 20;

FleetHost read_host(TableReader& table) {
  FleetHost host;
  if (auto name = table.text("name", Presence::Required)) host.name = std::move(name->value);
  for (auto& gpu : table.text_or_texts("gpu")) host.gpus.push_back(std::move(gpu.value));
  if (auto driver = table.text("driver")) host.driver = std::move(driver->value);
  if (auto glibc = table.text("glibc")) host.glibc = std::move(glibc->value);
  if (auto compat = table.text("cuda-compat")) host.cuda_compat = std::move(compat->value);
  if (host.gpus.empty() && host.driver.empty())
    table.problem(table.at(), "a host without `gpu` and `driver` asks nothing",
                  "write `gpu = \"h100\"` or `driver = \"550.54.15\"`");
  table.refuse_the_rest();
  return host;
}

}  // namespace

Result<std::vector<FleetHost>> parse_fleet(std::string_view text, std::string_view file_name) {
  const Value document = TRY(parse_document(text, file_name, kMostBytes));
  Problems problems(file_name);
  TableReader root(std::get<Table>(document.data), Position{}, "", problems);
  std::vector<FleetHost> hosts;
  std::set<std::string> names;
  for (TableReader& table : root.tables("host")) {
    hosts.push_back(read_host(table));
    if (!hosts.back().name.empty() && !names.insert(hosts.back().name).second)
      problems.add(table.at(), fmt::format("there are two hosts `{}`", hosts.back().name));
  }
  if (hosts.empty())
    problems.add(Position{}, "there is no `[[host]]`", "each host is a table `[[host]]`");
  root.refuse_the_rest();
  TRY(problems.result());
  return hosts;
}

}  // namespace slipway::spec
