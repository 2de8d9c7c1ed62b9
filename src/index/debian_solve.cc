#include <algorithm>

#include "base/nearest.h"
#include "index/debian_pool_state.h"

namespace slipway::index {
namespace {

struct SolverDeleter {
  void operator()(Solver* solver) const { solver_free(solver); }
};

std::vector<Id> always_names(Pool* pool) {
  std::vector<Id> names;
  for (const Id id : find_providers(pool, pool_str2id(pool, kAlwaysTag, 1))) {
    names.push_back(pool->solvables[id].name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> all_names(Pool* pool) {
  std::vector<std::string> names;
  for (Id id = 1; id < pool->nsolvables; ++id) {
    const Solvable& solvable = pool->solvables[id];
    if (solvable.repo != nullptr) names.emplace_back(pool_id2str(pool, solvable.name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

/// The names of the packages that provide `name`, sorted.
std::vector<std::string> provider_names(Pool* pool, Id name) {
  std::vector<std::string> names;
  for (const Id id : find_providers(pool, name)) {
    names.emplace_back(pool_id2str(pool, pool->solvables[id].name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

/// The package that the user means by `name`: it, or the only one that provides it.
Result<Id> resolve_name(Pool* pool, const std::string& name) {
  const Id id = pool_str2id(pool, name.c_str(), 0);
  if (id != 0 && !find_by_name(pool, id).empty()) return id;
  const auto providers = id == 0 ? std::vector<std::string>() : provider_names(pool, id);
  if (providers.size() == 1) return pool_str2id(pool, providers.front().c_str(), 0);
  auto error = make_error(ErrorKind::InvalidInput, "no Debian package is called `{}`", name);
  if (!providers.empty()) {
    error.message = fmt::format("`{}` stands for several Debian packages", name);
    error.hints.push_back(fmt::format("name one of: {}", fmt::join(providers, ", ")));
  } else if (const auto nearest = find_nearest(name, all_names(pool)); !nearest.empty()) {
    error.hints.push_back(did_you_mean(nearest));
  }
  return error;
}

std::map<Id, Id> find_preferred(Pool* pool, std::span<const DebPreference> preferences) {
  std::map<Id, Id> preferred;
  for (const auto& preference : preferences) {
    const Id name = pool_str2id(pool, preference.package.c_str(), 0);
    if (name == 0) continue;
    // A base may have come to hold a newer one itself.
    const Id installed = find_installed(pool, name);
    for (const Id id : find_by_name(pool, name)) {
      if (installed != 0 && pool_evrcmp(pool, pool->solvables[id].evr,
                                        pool->solvables[installed].evr, EVRCMP_COMPARE) < 0) {
        continue;
      }
      if (pool_id2str(pool, pool->solvables[id].evr) == preference.version) preferred[name] = id;
    }
  }
  return preferred;
}

std::string label_of(Pool* pool, Id id) {
  return fmt::format("{} {}", pool_id2str(pool, pool->solvables[id].name),
                     pool_id2str(pool, pool->solvables[id].evr));
}

Error explain_problems(Solver* solver, Pool* pool, std::span<const Id> held) {
  auto error = make_error(ErrorKind::Unsolvable,
                          "the Debian packages that are asked for cannot be installed {}",
                          pool->installed == nullptr ? "together" : "onto what is installed");
  const auto count = static_cast<Id>(solver_problem_count(solver));
  for (Id problem = 1; problem <= count; ++problem) {
    IdQueue rules;
    solver_findallproblemrules(solver, problem, &rules.queue);
    for (const Id rule : rules.ids()) {
      Id source = 0;
      Id target = 0;
      Id dependency = 0;
      const auto type = solver_ruleinfo(solver, rule, &source, &target, &dependency);
      if (type == SOLVER_RULE_JOB || type == SOLVER_RULE_UNKNOWN) continue;
      std::string text = solver_problemruleinfo2str(solver, type, source, target, dependency);
      if (type == SOLVER_RULE_UPDATE) {
        const bool is_held = std::find(held.begin(), held.end(), source) != held.end();
        text = fmt::format("{} is installed{}, and would have to go", label_of(pool, source),
                           is_held ? ", on hold" : "");
      }
      const bool is_new =
          std::find(error.because.begin(), error.because.end(), text) == error.because.end();
      if (is_new) error.because.push_back(std::move(text));
    }
  }
  return error;
}

Result<DebFile> read_file_facts(Pool* pool, Id id) {
  Solvable* solvable = pool->solvables + id;
  DebFile file;
  file.package = pool_id2str(pool, solvable->name);
  file.version = pool_id2str(pool, solvable->evr);
  file.architecture = pool_id2str(pool, solvable->arch);
  file.index = solvable->repo->name;
  unsigned medium = 0;
  const char* location = solvable_lookup_location(solvable, &medium);
  Id type = 0;
  const char* checksum = solvable_lookup_checksum(solvable, SOLVABLE_CHECKSUM, &type);
  if (location == nullptr || checksum == nullptr) {
    return make_error(ErrorKind::Corrupt, "the index says nothing about the file of `{}`",
                      file.package);
  }
  file.path = location;
  file.file_name = file.path.substr(file.path.rfind('/') + 1);
  file.size_bytes = solvable_lookup_num(solvable, SOLVABLE_DOWNLOADSIZE, 0);
  file.sha256 = TRY(parse_digest(checksum));
  return file;
}

using SolverPointer = std::unique_ptr<Solver, SolverDeleter>;

/// Whether the solver may leave what apt would take.
enum class Proposal { Favoured, Binding };

SolverPointer run_solver(Pool* pool, std::span<const Id> names, std::span<const Id> proposal,
                         Proposal firmness, std::span<const Id> held) {
  IdQueue jobs;
  for (const Id name : names) {
    queue_push2(&jobs.queue, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME, name);
    // Any version of it would do for that job: apt takes the new one of what it is told to install.
    if (find_installed(pool, name) == 0) continue;
    for (const Id id : proposal) {
      if (pool->solvables[id].name == name)
        queue_push2(&jobs.queue, SOLVER_INSTALL | SOLVER_SOLVABLE, id);
    }
  }
  const Id action = firmness == Proposal::Binding ? SOLVER_INSTALL : SOLVER_FAVOR;
  for (const Id id : proposal) queue_push2(&jobs.queue, action | SOLVER_SOLVABLE, id);
  for (const Id id : held) queue_push2(&jobs.queue, SOLVER_LOCK | SOLVER_SOLVABLE, id);
  SolverPointer solver(solver_create(pool));
  solver_set_flag(solver.get(), SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
  static_cast<void>(solver_solve(solver.get(), &jobs.queue));
  return solver;
}

}  // namespace

Result<std::vector<DebFile>> DebianPool::solve(std::span<const std::string> packages,
                                               std::span<const DebPreference> preferences) {
  state_->index();
  Pool* pool = state_->pool;
  const bool is_addition = pool->installed != nullptr;
  auto names = is_addition ? std::vector<Id>() : always_names(pool);
  std::map<Id, std::vector<std::string>> asked;
  for (const auto& package : packages) {
    names.push_back(TRY(resolve_name(pool, package)));
    asked[names.back()].push_back(package);
  }
  const auto proposal =
      propose_like_apt(pool, names, find_preferred(pool, preferences), state_->held);
  // The solver would rather take an old version of what is new than upgrade what is installed, and
  // apt never does. Where apt's choice does not hold together, the solver may choose.
  auto solver = run_solver(pool, names, proposal,
                           is_addition ? Proposal::Binding : Proposal::Favoured, state_->held);
  if (is_addition && solver_problem_count(solver.get()) != 0)
    solver = run_solver(pool, names, proposal, Proposal::Favoured, state_->held);
  if (solver_problem_count(solver.get()) != 0)
    return explain_problems(solver.get(), pool, state_->held);

  IdQueue decisions;
  solver_get_decisionqueue(solver.get(), &decisions.queue);
  std::vector<Id> decided;
  std::vector<DebFile> files;
  for (const Id id : decisions.ids()) {
    if (id <= 0 || id == SYSTEMSOLVABLE) continue;
    if (is_addition && pool->solvables[id].repo == pool->installed) continue;
    decided.push_back(id);
    files.push_back(TRY(read_file_facts(pool, id)));
    if (const Id old = find_installed(pool, pool->solvables[id].name); old != 0)
      files.back().upgrades = pool_id2str(pool, pool->solvables[old].evr);
    if (const auto names_of = asked.find(pool->solvables[id].name); names_of != asked.end())
      files.back().asked_as = names_of->second;
  }
  add_reasons(pool, decided, files);
  if (is_addition) add_upgrade_reasons(pool, decided, files);
  std::sort(files.begin(), files.end(),
            [](const DebFile& a, const DebFile& b) { return a.package < b.package; });
  return files;
}

}  // namespace slipway::index
