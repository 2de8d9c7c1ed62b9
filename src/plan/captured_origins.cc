#include "plan/captured_origins.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "base/threads.h"
#include "http/url.h"
#include "plan/indexes.h"
#include "version/wheel_file_name.h"

namespace slipway::plan {
namespace {

constexpr std::size_t kRequestsAtOnce = 8;
constexpr std::size_t kMostCandidates = 4;  // wheels of one package whose RECORD is read

/// What installers add to a dist-info, beside the RECORD that they rewrite.
constexpr std::array<std::string_view, 8> kAdded{"INSTALLER",     "REQUESTED",    "direct_url.json",
                                                 "RECORD",        "RECORD.jws",   "RECORD.p7s",
                                                 "uv_cache.json", "uv_build.json"};

std::string_view without_padding(std::string_view hash) {
  while (hash.ends_with('=')) hash.remove_suffix(1);
  return hash;
}

bool is_added(std::string_view path, std::string_view dist_info) {
  if (path.find("__pycache__/") != std::string_view::npos) return true;
  if (!path.starts_with(dist_info)) return false;
  path.remove_prefix(dist_info.size());
  if (!path.starts_with('/')) return false;
  return std::find(kAdded.begin(), kAdded.end(), path.substr(1)) != kAdded.end();
}

std::string_view below_prefix(std::string_view path) {
  while (path.starts_with("../")) path.remove_prefix(3);
  return path;
}

/// One comparison of two RECORDs.
class RecordMatch {
 public:
  RecordMatch(const layer::Record& installed, std::string_view dist_info)
      : installed_(installed), dist_info_(dist_info) {
    for (const auto& [path, row] : installed) {
      if (path.starts_with("../")) outside_.emplace(below_prefix(path), &row);
    }
    const std::size_t end = dist_info.rfind(".dist-info");
    data_ = std::string(dist_info.substr(0, end)) + ".data/";
  }

  bool covers(std::string_view path, const layer::RecordRow& row) {
    if (path.ends_with('/') || is_added(path, dist_info_)) return true;
    if (!path.starts_with(data_)) return is_same(std::string(path), row);
    path.remove_prefix(data_.size());
    const std::string_view kind = path.substr(0, path.find('/'));
    const std::string_view rest = path.substr(std::min(kind.size() + 1, path.size()));
    if (kind == "purelib" || kind == "platlib") return is_same(std::string(rest), row);
    // An installer rewrites the first line of scripts, and has its own place for headers.
    if (kind != "data") return true;
    const auto found = outside_.find(rest);
    return found != outside_.end() && is_equal(*found->second, row);
  }

  /// Whether each installed file is one that was covered, or that installers make.
  bool is_complete() const {
    return count_ > 0 && std::all_of(installed_.begin(), installed_.end(), [&](const auto& one) {
             return covered_.contains(one.first) || one.first.starts_with("../") ||
                    is_added(one.first, dist_info_);
           });
  }

 private:
  static bool is_equal(const layer::RecordRow& one, const layer::RecordRow& other) {
    return !one.hash.empty() && without_padding(one.hash) == without_padding(other.hash);
  }

  bool is_same(std::string path, const layer::RecordRow& row) {
    const auto found = installed_.find(path);
    if (found == installed_.end() || !is_equal(found->second, row)) return false;
    covered_.insert(std::move(path));
    ++count_;
    return true;
  }

  const layer::Record& installed_;
  std::string_view dist_info_;
  std::string data_;
  std::map<std::string_view, const layer::RecordRow*> outside_;
  std::set<std::string> covered_;
  std::size_t count_ = 0;
};

/// Whether a file name can be this package's: the same project and version. Only with the signs
/// that a lock takes back.
std::optional<version::WheelFileName> parse_own_wheel(const std::string& file,
                                                      const CapturedPackage& package) {
  const bool is_plain = std::all_of(file.begin(), file.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-+~!").find(c) != std::string_view::npos;
  });
  if (!is_plain || file.starts_with('.')) return std::nullopt;
  auto name = version::parse_wheel_file_name(file);
  const auto own = version::Version::parse(package.version);
  if (!name.ok() || !own.ok() || name->name.text() != package.name || name->version != *own) {
    return std::nullopt;
  }
  return std::move(*name);
}

/// `Tag: cp311-cp311-manylinux1_x86_64` of the installed WHEEL file.
std::set<std::string> read_tags(const CapturedPackage& package) {
  std::set<std::string> tags;
  const auto text = read_file(package.folder + "/WHEEL");
  if (!text.ok()) return tags;
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("Tag: ")) tags.emplace(line.substr(5));
  }
  return tags;
}

bool has_tags(const version::WheelFileName& name, const std::set<std::string>& tags) {
  for (const std::string& python : name.pythons) {
    for (const std::string& abi : name.abis) {
      for (const std::string& platform : name.platforms) {
        if (!tags.contains(fmt::format("{}-{}-{}", python, abi, platform))) return false;
      }
    }
  }
  return true;
}

class OriginFinder {
 public:
  OriginFinder(Indexes& indexes, const Tools& tools) : indexes_(indexes), tools_(tools) {}

  /// Fails with Unavailable where an index cannot be asked.
  Result<void> prepare(const CapturedPackage& package) {
    const auto name = version::PackageName::parse(package.name);
    if (name.ok()) homes_[package.name] = TRY(indexes_.possible_homes(*name));
    return {};
  }

  /// The wheel, or nothing. Thread-safe.
  Result<std::optional<PackageOrigin>> find(const CapturedPackage& package) const {
    const auto homes = homes_.find(package.name);
    const std::string text = TRY(read_file(package.folder + "/RECORD"));
    const layer::Record installed = TRY(layer::parse_record(text));
    std::optional<Error> unread;
    if (homes == homes_.end()) return std::optional<PackageOrigin>();
    const std::string dist_info = base_name(package.folder);
    for (const PackageHome& home : homes->second) {
      for (const index::WheelFile& wheel : TRY(candidates(package, home, installed))) {
        TRY(tools_.cancel.check());
        const auto theirs = home.index->fetch_record(wheel);
        if (!theirs.ok() && theirs.error().kind == ErrorKind::Unavailable) return theirs.error();
        if (!theirs.ok()) unread = theirs.error();
        const auto record = theirs.ok() ? layer::parse_record(*theirs) : theirs.error();
        if (!record.ok() || !is_record_of(*record, installed, dist_info)) continue;
        return std::optional(PackageOrigin{home.index->name(), wheel.file_name, *wheel.sha256});
      }
    }
    if (unread) return *unread;
    return std::optional<PackageOrigin>();
  }

 private:
  /// Those that can be the one, the likely ones first.
  Result<std::vector<index::WheelFile>> candidates(const CapturedPackage& package,
                                                   const PackageHome& home,
                                                   const layer::Record& installed) const {
    const auto page = home.index->fetch_project(*version::PackageName::parse(package.name));
    std::vector<index::WheelFile> likely, others;
    if (!page.ok() && page.error().kind == ErrorKind::NotFound) return likely;
    if (!page.ok()) return page.error();
    const std::set<std::string> tags = read_tags(package);
    const auto metadata = installed.find(base_name(package.folder) + "/METADATA");
    for (const index::WheelFile& wheel : (*page)->wheels) {
      const auto name = parse_own_wheel(wheel.file_name, package);
      if (!name || !wheel.sha256) continue;
      const bool is_other =
          wheel.metadata_sha256 && metadata != installed.end() &&
          without_padding(metadata->second.hash) != "sha256=" + wheel.metadata_sha256->base64url();
      if (is_other) continue;
      (has_tags(*name, tags) ? likely : others).push_back(wheel);
    }
    likely.insert(likely.end(), others.begin(), others.end());
    if (likely.size() > kMostCandidates) likely.resize(kMostCandidates);
    return likely;
  }

  Indexes& indexes_;
  const Tools& tools_;
  std::map<std::string, std::vector<PackageHome>> homes_;
};

/// Takes the installer's notes; the rest is to be looked for.
std::vector<CapturedPackage*> take_notes(CapturedPackages& packages, OriginReport& report) {
  std::vector<CapturedPackage*> todo;
  for (CapturedPackage& package : packages.packages) {
    if (!package.has_record) continue;
    const auto note = read_file(package.folder + "/direct_url.json");
    if (note.ok()) package.origin = parse_direct_url(*note, package);
    if (package.origin) {
      ++report.matched;
    } else if (!note.ok() || note->find("archive_info") != std::string::npos) {
      todo.push_back(&package);  // older installers note a file, and no hash
    } else {
      report.unmatched.push_back(fmt::format("{} {}: not installed from a wheel that is known",
                                             package.name, package.version));
    }
  }
  return todo;
}

/// A reason for each that has no origin after; an index that does not answer ends it.
Result<void> ask_indexes(const std::vector<CapturedPackage*>& todo,
                         std::vector<std::string>& reasons, OriginReport& report,
                         const Tools& tools) {
  Indexes indexes = TRY(Indexes::open(tools, index::Freshness::UseCached, {}, Patience::Little));
  OriginFinder finder(indexes, tools);
  for (const CapturedPackage* package : todo) {
    const auto prepared = finder.prepare(*package);
    if (prepared.ok()) continue;
    report.unreachable = prepared.error().message;
    return {};
  }
  const Reporter::TaskId task = tools.reporter.start("matching", "packages to wheels", todo.size());
  const auto look = [&](std::size_t i) -> Result<void> {
    auto origin = finder.find(*todo[i]);
    tools.reporter.advance(task, 1);
    if (origin.ok()) {
      todo[i]->origin = std::move(*origin);
      if (!todo[i]->origin) reasons[i] = "no wheel of its index has its RECORD";
      return {};
    }
    reasons[i] = origin.error().message;
    const ErrorKind kind = origin.error().kind;
    if (kind == ErrorKind::Unavailable || kind == ErrorKind::Cancelled) return origin.error();
    return {};
  };
  // The first alone: where nothing answers, one wait is enough.
  Result<void> done = look(0);
  if (done.ok()) {
    done = for_each_parallel(todo.size() - 1, kRequestsAtOnce, tools.cancel,
                             [&](std::size_t i) { return look(i + 1); });
  }
  tools.reporter.finish(task);
  TRY(tools.cancel.check());
  if (!done.ok()) report.unreachable = done.error().message;
  return {};
}

}  // namespace

bool is_record_of(const layer::Record& wheel, const layer::Record& installed,
                  std::string_view dist_info) {
  RecordMatch match(installed, dist_info);
  for (const auto& [path, row] : wheel) {
    if (!match.covers(path, row)) return false;
  }
  return match.is_complete();
}

std::optional<PackageOrigin> parse_direct_url(std::string_view text,
                                              const CapturedPackage& package) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("url") || !json["url"].is_string()) return std::nullopt;
  const std::string url = json["url"].get<std::string>();
  const std::string file = base_name(http::percent_decode(url.substr(0, url.find_first_of("?#"))));
  const auto archive = json.find("archive_info");
  if (archive == json.end() || !archive->is_object() || !parse_own_wheel(file, package)) {
    return std::nullopt;
  }
  std::string hash;
  if (const auto hashes = archive->find("hashes");
      hashes != archive->end() && hashes->is_object() && hashes->contains("sha256") &&
      (*hashes)["sha256"].is_string()) {
    hash = (*hashes)["sha256"].get<std::string>();
  } else if (const auto old = archive->find("hash"); old != archive->end() && old->is_string()) {
    hash = old->get<std::string>();
    if (!hash.starts_with("sha256=")) return std::nullopt;
    hash.erase(0, 7);
  }
  const auto digest = parse_digest(hash);
  if (!digest.ok()) return std::nullopt;
  return PackageOrigin{"", file, *digest};
}

Result<OriginReport> find_origins(CapturedPackages& packages, AskIndexes ask, const Tools& tools) {
  OriginReport report;
  const std::vector<CapturedPackage*> todo = take_notes(packages, report);
  if (ask == AskIndexes::No || todo.empty()) return report;
  std::vector<std::string> reasons(todo.size());
  TRY(ask_indexes(todo, reasons, report, tools));
  for (std::size_t i = 0; i < todo.size(); ++i) {
    if (todo[i]->origin) {
      ++report.matched;
    } else if (report.unreachable.empty()) {
      report.unmatched.push_back(
          fmt::format("{} {}: {}", todo[i]->name, todo[i]->version, reasons[i]));
    }
  }
  std::sort(report.unmatched.begin(), report.unmatched.end());
  return report;
}

}  // namespace slipway::plan
