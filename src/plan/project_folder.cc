#include "plan/project_folder.h"

#include "base/file.h"

namespace slipway::plan {

Result<ProjectFolder> open_project(const std::string& start) {
  const std::string first = TRY(absolute_path(start));
  if (!is_folder(first)) return make_error(ErrorKind::NotFound, "`{}` is not a folder", first);
  for (std::string folder = first;; folder = parent_path(folder)) {
    ProjectFolder project{folder, {}};
    if (path_exists(project.file())) {
      const std::string text = TRY(read_file(project.file()));
      project.spec = TRY(spec::parse_project(text, project.file()));
      return project;
    }
    if (folder == "/") break;
  }
  return make_error(ErrorKind::NotFound, "there is no slipway.toml in `{}` or above it", first)
      .hint("go to the project's folder, or name it: `slipway -C FOLDER ...`");
}

Result<std::optional<spec::Lock>> find_lock(const ProjectFolder& project) {
  if (!path_exists(project.lock_file())) return std::optional<spec::Lock>();
  const std::string text = TRY(read_file(project.lock_file()));
  Result<spec::Lock> lock = spec::parse_lock(text, project.lock_file());
  if (lock.ok()) return std::optional(std::move(lock).value());
  Error error = std::move(lock).error();
  if (error.kind == ErrorKind::InvalidInput) {
    error.hints.push_back(
        "bring it back from version control, or remove it: `slipway lock` makes a "
        "new one");
  }
  return error;
}

Result<spec::Lock> read_matching_lock(const ProjectFolder& project) {
  std::optional<spec::Lock> lock = TRY(find_lock(project));
  if (lock && lock->inputs == spec::inputs_digest(project.spec)) return std::move(*lock);
  return make_error(ErrorKind::InvalidInput, "`{}` {}", project.lock_file(),
                    lock ? "no longer matches slipway.toml" : "is not there")
      .hint("`slipway lock` writes it; `build --locked` and `verify` never do");
}

Result<spec::Lock> read_lock(const ProjectFolder& project) {
  std::optional<spec::Lock> lock = TRY(find_lock(project));
  if (lock) return std::move(*lock);
  return make_error(ErrorKind::NotFound, "there is no `{}` yet", project.lock_file())
      .hint("`slipway lock` writes it");
}

}  // namespace slipway::plan
