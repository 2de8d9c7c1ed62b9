#include <algorithm>
#include <set>

#include "spec/lock.h"
#include "spec/lock_fields.h"
#include "spec/names.h"

namespace slipway::spec {
namespace {

constexpr std::size_t kMostBytes = 64 << 20;

void check_plain(TableReader& table, std::string_view key, const std::string& value) {
  if (value.empty()) return;  // reported by `required`
  if (const auto fault = check_plain_name(value)) {
    table.problem(table.at(), fmt::format("`{}`: {}", table.dotted(key), fault->message));
  }
}

/// Only what can never lead out of a folder or an index. `+~` are in Debian's versions, `!` and `+`
/// in Python's.
void check_path(TableReader& table, std::string_view key, const std::string& path,
                bool may_have_folders) {
  if (path.empty()) return;
  const bool plain = std::all_of(path.begin(), path.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-+~!%:").find(c) != std::string_view::npos ||
           (c == '/' && may_have_folders);
  });
  if (!plain || path.front() == '.' || check_copy_path(path)) {
    table.problem(table.at(),
                  fmt::format("`{}`: `{}` is not a plain path", table.dotted(key), path),
                  std::string(kRemedy));
  }
}

LockedWheel read_wheel(TableReader& table) {
  LockedWheel wheel;
  wheel.name = required(table, "name");
  wheel.version = required(table, "version");
  wheel.index = required(table, "index");
  wheel.file_name = required(table, "file");
  wheel.size_bytes = required_size(table);
  wheel.sha256 = required_digest(table, "sha256");
  wheel.requires_python = optional(table, "requires-python");
  wheel.extras = sorted_list(table, "extras");
  wheel.dependencies = sorted_list(table, "requires");
  wheel.because = sorted_list(table, "because");
  check_plain(table, "name", wheel.name);
  check_plain(table, "index", wheel.index);
  check_path(table, "file", wheel.file_name, false);
  if (!wheel.file_name.ends_with(".whl")) {
    table.problem(table.at(), fmt::format("`{}` is not a wheel", table.dotted("file")));
  }
  table.refuse_the_rest();
  return wheel;
}

LockedDeb read_deb(TableReader& table) {
  LockedDeb deb;
  deb.name = required(table, "name");
  deb.version = required(table, "version");
  deb.architecture = required(table, "architecture");
  deb.index = required(table, "index");
  deb.path = required(table, "path");
  deb.size_bytes = required_size(table);
  deb.sha256 = required_digest(table, "sha256");
  deb.because = sorted_list(table, "because");
  if (const auto fault = check_debian_package(deb.name); fault && !deb.name.empty()) {
    table.problem(table.at(), fmt::format("`{}`: {}", table.dotted("name"), fault->message));
  }
  check_plain(table, "architecture", deb.architecture);
  check_plain(table, "index", deb.index);
  check_path(table, "path", deb.path, true);
  table.refuse_the_rest();
  return deb;
}

CapturedFiles read_captured(TableReader& table) {
  CapturedFiles files;
  files.name = required(table, "name");
  files.version = optional(table, "version");
  files.index = optional(table, "index");
  files.wheel = optional(table, "wheel");
  if (!files.wheel.empty()) {
    files.wheel_sha256 = required_digest(table, "wheel-sha256");
    check_plain(table, "index", files.index);
    check_path(table, "wheel", files.wheel, false);
  } else if (!files.index.empty()) {
    table.problem(table.at(), fmt::format("`{}` without a wheel", table.dotted("index")));
  }
  const auto count = table.integer("files", Presence::Required);
  if (count && count->value < 0) {
    table.problem(count->at, fmt::format("`{}` is negative", count->key));
  }
  files.files = count ? static_cast<std::uint64_t>(std::max<std::int64_t>(count->value, 0)) : 0;
  files.sha256 = required_digest(table, "sha256");
  files.changed = sorted_list(table, "changed");
  files.missing = sorted_list(table, "missing");
  files.paths = sorted_list(table, "paths");
  if (files.name != kCapturedSystem && files.name != kCapturedRest) {
    check_plain(table, "name", files.name);
  }
  table.refuse_the_rest();
  return files;
}

/// Absolute, and without anything that could lead elsewhere.
void check_inside(TableReader& table, std::string_view key, const std::string& path) {
  if (path.empty()) return;
  const bool is_plain = path.starts_with('/') && path.find('\n') == std::string::npos &&
                        !check_copy_path(std::string_view(path).substr(1));
  if (is_plain) return;
  table.problem(table.at(),
                fmt::format("`{}`: `{}` is no path in an image", table.dotted(key), path),
                std::string(kRemedy));
}

std::optional<LockedBase> read_base(TableReader& root) {
  auto table = root.table("base");
  if (!table) return std::nullopt;
  LockedBase base;
  base.image = required(*table, "image");
  base.digest = required_digest(*table, "digest");
  base.os = optional(*table, "os");
  base.python = required(*table, "python");
  base.interpreter = required(*table, "interpreter");
  base.shell = optional(*table, "shell");
  check_inside(*table, "interpreter", base.interpreter);
  check_inside(*table, "shell", base.shell);
  table->refuse_the_rest();
  return base;
}

void read_target(TableReader& root, Lock& lock) {
  auto table = root.table("target");
  if (!table) return root.problem(root.at(), "`target` is missing", std::string(kRemedy));
  lock.architecture = required(*table, "architecture");
  const bool is_debian = lock.captured.empty() && !lock.base;
  lock.debian = is_debian ? required(*table, "debian") : optional(*table, "debian");
  if (lock.base && !lock.debian.empty()) {
    table->problem(table->at(), "`target.debian` beside a base image", std::string(kRemedy));
  }
  lock.glibc = required(*table, "glibc");
  lock.python_version = required(*table, "python");
  lock.gpus = sorted_list(*table, "gpu");
  lock.driver = optional(*table, "driver");
  lock.cuda_compat = optional(*table, "cuda-compat");
  lock.cuda = optional(*table, "cuda");
  lock.cpu = optional(*table, "cpu");
  table->refuse_the_rest();
}

/// What a package says of others that are not in the lock.
void check_names(TableReader& table, const std::string& owner,
                 const std::vector<std::string>& spoken_of,
                 const std::set<std::string_view>& names) {
  for (const std::string& name : spoken_of) {
    if (names.contains(name)) continue;
    table.problem(table.at(),
                  fmt::format("`{}` speaks of `{}`, which is not in the lock", owner, name),
                  std::string(kRemedy));
  }
}

/// Sorted, no doubles, and every name that a wheel speaks of is there.
void check_wheels(std::vector<TableReader>& tables, const std::vector<LockedWheel>& wheels) {
  std::set<std::string_view> names{kAskedByUser};
  for (std::size_t i = 0; i < wheels.size(); ++i) {
    names.insert(wheels[i].name);
    if (i == 0 || wheels[i - 1].name < wheels[i].name) continue;
    tables[i].problem(tables[i].at(),
                      fmt::format("`{}` is there twice, or out of order", wheels[i].name),
                      std::string(kRemedy));
  }
  for (std::size_t i = 0; i < wheels.size(); ++i) {
    check_names(tables[i], wheels[i].name, wheels[i].dependencies, names);
    check_names(tables[i], wheels[i].name, wheels[i].because, names);
  }
}

void check_debs(std::vector<TableReader>& tables, const std::vector<LockedDeb>& debs) {
  for (std::size_t i = 1; i < debs.size(); ++i) {
    if (std::tie(debs[i - 1].name, debs[i - 1].architecture) <
        std::tie(debs[i].name, debs[i].architecture)) {
      continue;
    }
    tables[i].problem(tables[i].at(),
                      fmt::format("`{}` is there twice, or out of order", debs[i].name),
                      std::string(kRemedy));
  }
  std::set<std::string_view> names{kAskedByUser, kPartOfBase, kNoPython, kForWheels};
  for (const LockedDeb& deb : debs) names.insert(deb.name);
  for (std::size_t i = 0; i < debs.size(); ++i)
    check_names(tables[i], debs[i].name, debs[i].because, names);
}

void check_captured(std::vector<TableReader>& tables, const Lock& lock) {
  for (std::size_t i = 1; i < tables.size(); ++i) {
    if (lock.captured[i - 1].name < lock.captured[i].name) continue;
    tables[i].problem(tables[i].at(),
                      fmt::format("`{}` is there twice, or out of order", lock.captured[i].name),
                      std::string(kRemedy));
  }
}

/// A lock of another schema may have any keys: say only which program understands it.
Result<void> check_schema(const Table& root, std::string_view file_name) {
  Problems problems(file_name);
  TableReader reader(root, Position{}, "", problems);
  const auto schema = reader.integer("schema", Presence::Required);
  const auto writer = reader.text("slipway", Presence::Required);
  TRY(problems.result());
  if (schema->value == kLockSchema) return {};
  return make_error(ErrorKind::Unsupported,
                    "{}:{}:{}: this lock has schema {}, and this slipway reads schema {}",
                    file_name, schema->at.line, schema->at.column, schema->value, kLockSchema)
      .reason(fmt::format("it was written by slipway {}", writer->value))
      .hint(fmt::format("use slipway {}, or run `slipway lock` to solve anew", writer->value));
}

}  // namespace

Result<Lock> parse_lock(std::string_view text, std::string_view file_name) {
  const Value document = TRY(parse_document(text, file_name, kMostBytes));
  const Table& table = std::get<Table>(document.data);
  TRY(check_schema(table, file_name));
  Problems problems(file_name);
  TableReader root(table, Position{}, "", problems);
  Lock lock;
  root.integer("schema");
  lock.slipway_version = required(root, "slipway");
  lock.inputs = required_digest(root, "inputs");
  lock.before = optional_time(root, "before");
  std::vector<TableReader> captured = root.tables("captured");
  for (TableReader& files : captured) lock.captured.push_back(read_captured(files));
  check_captured(captured, lock);
  lock.base = read_base(root);
  read_target(root, lock);
  std::vector<TableReader> wheels = root.tables("wheel");
  for (TableReader& wheel : wheels) lock.wheels.push_back(read_wheel(wheel));
  std::vector<TableReader> debs = root.tables("deb");
  for (TableReader& deb : debs) lock.debs.push_back(read_deb(deb));
  check_wheels(wheels, lock.wheels);
  check_debs(debs, lock.debs);
  lock.image = read_locked_image(root, lock);
  root.refuse_the_rest();
  TRY(problems.result());
  return lock;
}

}  // namespace slipway::spec
