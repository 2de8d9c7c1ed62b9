#include "spec/project_sections.h"
#include "spec/requirement_check.h"

namespace slipway::spec {
namespace {

std::optional<Fault> check_architecture(std::string_view name) {
  if (name == "x86_64") return std::nullopt;
  if (name == "amd64") return Fault{"`amd64` is Debian's word for it", "write `x86_64`"};
  return Fault{fmt::format("`{}` is not supported yet by this version", name), "write `x86_64`",
               ErrorKind::Unsupported};
}

std::optional<Fault> check_python_version(std::string_view version) {
  if (version == "3.11") return std::nullopt;
  const bool is_number =
      !version.empty() && version.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!is_number) {
    return Fault{fmt::format("`{}` is not a Python version", version), "write `3.11`"};
  }
  if (version.starts_with("3.11.")) {
    return Fault{"the last number of the version is Debian's to choose", "write `3.11`"};
  }
  return Fault{fmt::format("Debian bookworm has Python 3.11, and not {}", version),
               "write `3.11`; other versions are not supported yet", ErrorKind::Unsupported};
}

}  // namespace

void read_image(TableReader& root, Image& image) {
  auto table = root.table("image");
  if (!table) {
    root.problem(root.at(), "`image.name` is missing",
                 "write `[image]` and below it `name = \"...\"`");
    return;
  }
  if (auto name = table->text("name", Presence::Required)) {
    refuse(*table, *name, check_image_name(name->value));
    image.name = std::move(name->value);
  }
  if (auto tag = table->text("tag")) {
    refuse(*table, *tag, check_image_tag(tag->value));
    image.tag = std::move(tag->value);
  }
  table->not_yet({"labels", "env"});
  table->refuse_the_rest(project_keys());
}

void read_target(TableReader& root, Target& target) {
  auto table = root.table("target");
  if (!table) return;
  target.gpus = read_checked(*table, "gpu", check_plain_name);
  if (auto driver = table->text("driver")) {
    refuse(*table, *driver, check_driver(driver->value));
    target.driver = std::move(driver->value);
  }
  if (auto names = read_checked(*table, "arch", check_architecture); !names.empty()) {
    target.architectures = std::move(names);
  }
  table->not_yet({"glibc", "cuda", "os"});
  table->refuse_the_rest(project_keys());
}

void read_base(TableReader& root, Base& base) {
  auto table = root.table("base");
  if (!table) return;
  if (auto debian = table->text("debian"); debian && debian->value != base.debian) {
    refuse(*table, *debian,
           Fault{fmt::format("Debian `{}` is not supported by this version", debian->value),
                 "write `bookworm`", ErrorKind::Unsupported});
  }
  base.apt = read_checked(*table, "apt", check_debian_package);
  table->not_yet({"image", "scratch"});
  table->refuse_the_rest(project_keys());
}

void read_python(TableReader& root, Python& python) {
  auto table = root.table("python");
  if (!table) return;
  if (auto version = table->text("version")) {
    refuse(*table, *version, check_python_version(version->value));
  }
  python.packages = read_checked(*table, "packages", check_requirement);
  table->not_yet({"index", "indexes", "prereleases", "wheels", "constraints", "sources"});
  table->refuse_the_rest(project_keys());
}

}  // namespace slipway::spec
