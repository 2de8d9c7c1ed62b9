#include "spec/project.h"

#include "spec/project_sections.h"

namespace slipway::spec {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

}  // namespace

std::span<const std::string> project_keys() {
  static const std::vector<std::string> kKeys{"image.name",
                                              "image.tag",
                                              "image.default",
                                              "target.gpu",
                                              "target.driver",
                                              "target.cuda-compat",
                                              "target.cpu",
                                              "target.arch",
                                              "base.debian",
                                              "base.image",
                                              "base.apt",
                                              "python.version",
                                              "python.packages",
                                              "python.index.name",
                                              "python.index.url",
                                              "python.index.kind",
                                              "python.index.packages",
                                              "project.copy",
                                              "user.name",
                                              "user.uid",
                                              "modes.NAME.command",
                                              "resources.gpus",
                                              "resources.memory",
                                              "resources.cpus",
                                              "resources.shm"};
  return kKeys;
}

bool refuse(TableReader& table, const Read<std::string>& text, std::optional<Fault> fault) {
  if (!fault) return false;
  table.problem(text.at, fmt::format("`{}`: {}", text.key, fault->message), fault->hint,
                fault->kind);
  return true;
}

Result<Project> parse_project(std::string_view text, std::string_view file_name) {
  const Value document = TRY(parse_document(text, file_name, kMostBytes));
  Problems problems(file_name);
  TableReader root(std::get<Table>(document.data), Position{}, "", problems);
  Project project;
  read_image(root, project.image);
  read_target(root, project.target);
  read_base(root, project.base);
  read_python(root, project.base, project.python);
  read_code(root, project.code);
  read_user(root, project.user);
  read_modes(root, project.modes);
  read_resources(root, project.resources);
  root.not_yet({"conda", "refresh", "gateway", "cuda", "sign", "slurm", "kubernetes", "sweep", "ci",
                "record"});
  root.refuse_the_rest(project_keys());
  TRY(problems.result());
  return project;
}

}  // namespace slipway::spec
