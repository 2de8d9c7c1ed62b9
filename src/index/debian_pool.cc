#include "index/debian_pool.h"

#include <charconv>

#include "index/debian_pool_state.h"
#include "index/debian_text.h"

namespace slipway::index {
namespace {

Id string_id(Pool* pool, std::string_view text) {
  return pool_strn2id(pool, text.data(), static_cast<unsigned>(text.size()), 1);
}

int relation_flags(std::string_view comparison) {
  // A lone `<` or `>` is deb-policy 7.1's old spelling of `<=` and `>=`.
  if (comparison == "=") return REL_EQ;
  if (comparison == ">=" || comparison == ">") return REL_GT | REL_EQ;
  if (comparison == "<=" || comparison == "<") return REL_LT | REL_EQ;
  return comparison == ">>" ? REL_GT : REL_LT;
}

Id relation_id(Pool* pool, const Relation& relation) {
  const Id name = string_id(pool, relation.name);
  if (relation.comparison.empty()) return name;
  return pool_rel2id(pool, name, string_id(pool, relation.version),
                     relation_flags(relation.comparison), 1);
}

/// Adds the elements of a relation field to one of a solvable's arrays.
bool add_relations(Repo* repo, Offset& array, std::string_view text) {
  Pool* pool = repo->pool;
  return parse_relations(text, [&](const std::vector<Relation>& alternatives) {
    Id id = 0;
    for (auto i = alternatives.rbegin(); i != alternatives.rend(); ++i) {  // a | (b | c)
      const Id one = relation_id(pool, *i);
      id = id == 0 ? one : pool_rel2id(pool, one, id, REL_OR, 1);
    }
    array = repo_addid_dep(repo, array, id, 0);
  });
}

bool add_all_relations(Repo* repo, Solvable& solvable, const PackageStanza& stanza) {
  auto& pool = *repo->pool;
  solvable.provides = repo_addid_dep(repo, solvable.provides,
                                     pool_rel2id(&pool, solvable.name, solvable.evr, REL_EQ, 1), 0);
  if (stanza.essential == "yes" || stanza.priority == "required") {
    solvable.provides =
        repo_addid_dep(repo, solvable.provides, pool_str2id(&pool, kAlwaysTag, 1), 0);
  }
  return add_relations(repo, solvable.provides, stanza.provides) &&
         add_relations(repo, solvable.requires_, stanza.pre_depends) &&
         add_relations(repo, solvable.requires_, stanza.depends) &&
         add_relations(repo, solvable.conflicts, stanza.conflicts) &&
         add_relations(repo, solvable.conflicts, stanza.breaks);
}

/// Name, version and relations.
Result<Id> add_solvable(Repo* repo, const PackageStanza& stanza, std::string_view file) {
  const Id id = repo_add_solvable(repo);
  Pool* pool = repo->pool;
  Solvable& solvable = pool->solvables[id];
  solvable.name = string_id(pool, stanza.package);
  solvable.evr = string_id(pool, stanza.version);
  solvable.arch = string_id(pool, stanza.architecture);
  if (!add_all_relations(repo, solvable, stanza)) {
    return make_error(ErrorKind::Corrupt, "{} has bad relations for `{}`", file, stanza.package);
  }
  return id;
}

/// Only what source_of would not know by itself.
void set_source(Repodata* data, Id id, std::string_view field) {
  Pool* pool = data->repo->pool;
  const SourcePackage source = parse_source(field);
  if (!source.name.empty())
    repodata_set_id(data, id, SOLVABLE_SOURCENAME, string_id(pool, source.name));
  if (!source.version.empty())
    repodata_set_id(data, id, SOLVABLE_SOURCEEVR, string_id(pool, source.version));
}

Result<void> add_package(Repo* repo, Repodata* data, const PackageStanza& stanza) {
  unsigned long long size = 0;
  const auto* end = stanza.size.data() + stanza.size.size();
  const bool has_size =
      !stanza.size.empty() && std::from_chars(stanza.size.data(), end, size).ptr == end;
  if (stanza.package.empty() || stanza.version.empty() || !has_size ||
      !parse_digest(stanza.sha256) || stanza.file_name.empty() ||
      stanza.file_name.find("..") != std::string_view::npos) {
    return make_error(ErrorKind::Corrupt, "the Packages file has an incomplete entry for `{}`",
                      stanza.package);
  }
  const Id id = TRY(add_solvable(repo, stanza, "the Packages file"));
  // A flat archive writes `./name.deb`.
  auto location = stanza.file_name;
  while (location.starts_with("./")) location.remove_prefix(2);
  repodata_set_location(data, id, 0, nullptr, std::string(location).c_str());
  repodata_set_num(data, id, SOLVABLE_DOWNLOADSIZE, size);
  repodata_set_checksum(data, id, SOLVABLE_CHECKSUM, REPOKEY_TYPE_SHA256,
                        std::string(stanza.sha256).c_str());
  set_source(data, id, stanza.source);
  return {};
}

}  // namespace

DebianPool::State::State(std::string_view arch) : pool(pool_create()), architecture(arch) {
  pool_setdisttype(pool, DISTTYPE_DEB);
  pool_setarch(pool, architecture.c_str());
}
DebianPool::State::~State() { pool_free(pool); }

Repo* DebianPool::State::new_repo(std::string_view index, int priority) {
  last = repo_create(pool, std::string(index).c_str());
  last->priority = priority;
  is_indexed = false;
  return last;
}

void DebianPool::State::index() {
  if (!is_indexed) pool_createwhatprovides(pool);
  is_indexed = true;
}

DebianPool::DebianPool(std::string_view architecture)
    : state_(std::make_unique<State>(architecture)) {}
DebianPool::DebianPool(DebianPool&&) noexcept = default;
DebianPool& DebianPool::operator=(DebianPool&&) noexcept = default;
DebianPool::~DebianPool() = default;

Result<void> DebianPool::add_packages(std::string_view text, std::string_view index, int priority) {
  Repo* repo = state_->new_repo(index, priority);
  Repodata* data = repo_add_repodata(repo, 0);
  PackageStanza stanza;
  while (next_package(text, stanza)) {
    if (stanza.architecture != "all" && stanza.architecture != state_->architecture) continue;
    TRY(add_package(repo, data, stanza));
  }
  repodata_internalize(data);
  return {};
}

Result<void> DebianPool::add_installed(std::string_view text) {
  Pool* pool = state_->pool;
  if (pool->installed == nullptr) pool_set_installed(pool, state_->new_repo("installed"));
  state_->is_indexed = false;
  Repodata* data = repo_add_repodata(pool->installed, 0);
  for (;;) {
    PackageStanza stanza;
    std::string_view status = "install ok installed";  // status.d has none
    const bool is_paragraph =
        next_paragraph(text, [&](std::string_view name, std::string_view value) {
          if (same_field(name, "Package")) stanza.package = value;
          if (same_field(name, "Version")) stanza.version = value;
          if (same_field(name, "Architecture")) stanza.architecture = value;
          if (same_field(name, "Pre-Depends")) stanza.pre_depends = value;
          if (same_field(name, "Depends")) stanza.depends = value;
          if (same_field(name, "Conflicts")) stanza.conflicts = value;
          if (same_field(name, "Breaks")) stanza.breaks = value;
          if (same_field(name, "Provides")) stanza.provides = value;
          if (same_field(name, "Source")) stanza.source = value;
          if (same_field(name, "Status")) status = value;
        });
    if (!is_paragraph) break;
    const auto words = words_of(status);  // what is wanted, "ok", what is so
    const bool is_installed = words.size() == 3 && words[2] == "installed";
    const bool is_ours =
        stanza.architecture == "all" || stanza.architecture == state_->architecture;
    if (!is_installed || !is_ours || stanza.package.empty() || stanza.version.empty()) continue;
    const Id id = TRY(add_solvable(pool->installed, stanza, "dpkg's list"));
    set_source(data, id, stanza.source);
    if (words[0] == "hold") state_->held.push_back(id);
  }
  repodata_internalize(data);
  return {};
}

Result<void> DebianPool::save_last(std::FILE* file) {
  SLIPWAY_CHECK(state_->last != nullptr);
  if (repo_write(state_->last, file) != 0 || std::fflush(file) != 0) {
    return make_error(ErrorKind::Io, "cannot write the parsed Packages file");
  }
  return {};
}

Result<void> DebianPool::load(std::FILE* file, std::string_view index, int priority) {
  Repo* repo = state_->new_repo(index, priority);
  if (repo_add_solv(repo, file, SOLV_ADD_NO_STUBS) != 0) {
    repo_free(repo, 1);
    return make_error(ErrorKind::Corrupt, "the parsed Packages file in the cache is damaged");
  }
  return {};
}

}  // namespace slipway::index
