#include <set>

#include "spec/project_sections.h"
#include "spec/requirement_check.h"
#include "version/package_name.h"

namespace slipway::spec {
namespace {

std::optional<Fault> check_architecture(std::string_view name) {
  if (name == "x86_64") return std::nullopt;
  if (name == "amd64") return Fault{"`amd64` is Debian's word for it", "write `x86_64`"};
  return Fault{fmt::format("`{}` is not supported yet by this version", name), "write `x86_64`",
               ErrorKind::Unsupported};
}

std::optional<Fault> check_gpu(std::string_view name) {
  return name == kThisHost ? std::nullopt : check_plain_name(name);
}

std::optional<Fault> check_cuda_compat(std::string_view cuda) {
  const std::size_t dot = cuda.find('.');
  const bool is_version = dot != std::string_view::npos && dot > 0 && dot + 1 < cuda.size() &&
                          cuda.find('.', dot + 1) == std::string_view::npos &&
                          cuda.find_first_not_of("0123456789.") == std::string_view::npos;
  if (is_version) return std::nullopt;
  return Fault{fmt::format("`{}` is no version of CUDA", cuda),
               "write `12.8` for NVIDIA's package cuda-compat-12-8"};
}

std::optional<Fault> check_cpu(std::string_view level) {
  for (const std::string_view known : {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
    if (level == known) return std::nullopt;
  }
  return Fault{fmt::format("`{}` is no level of the x86-64 processor", level),
               "write `x86-64`, `x86-64-v2`, `x86-64-v3` or `x86-64-v4`"};
}

/// What a package is bound by: a name as PEP 503 normalises it, or the beginning of names.
std::optional<Fault> check_package_pattern(std::string_view pattern) {
  const bool is_prefix = pattern.ends_with('*');
  if (is_prefix) pattern.remove_suffix(1);
  while (is_prefix && pattern.ends_with('-')) pattern.remove_suffix(1);
  const auto name = version::PackageName::parse(pattern);
  if (!name.ok()) {
    return Fault{fmt::format("`{}` is no package name", pattern),
                 "write names such as `corp-tools`, or the beginning of names: `corp-*`"};
  }
  if (name->text() != pattern) {
    return Fault{fmt::format("`{}` is not the normal form of a name", pattern),
                 fmt::format("write `{}{}`", name->text(), is_prefix ? "-*" : "")};
  }
  return std::nullopt;
}

std::optional<Fault> check_index_name(std::string_view name) {
  if (name == "pypi" || name.starts_with("debian")) {
    return Fault{fmt::format("`{}` is the name of an index of this machine", name),
                 "take another name; where this machine's indexes are stands in config.toml"};
  }
  return check_plain_name(name);
}

std::optional<Fault> check_index_url(std::string_view url) {
  const std::size_t host = url.find("://");
  const std::size_t path = host == std::string_view::npos ? host : url.find('/', host + 3);
  if (url.substr(0, path).find('@') != std::string_view::npos) {
    return Fault{"a user or password does not belong into a file that is shared",
                 "put it into ~/.netrc, or into SLIPWAY_INDEX_NAME_USERNAME and _PASSWORD"};
  }
  return check_url(url);
}

void read_indexes(TableReader& python, std::vector<PythonIndex>& indexes) {
  std::set<std::string> names;
  for (TableReader& table : python.tables("index")) {
    PythonIndex index;
    if (auto name = table.text("name", Presence::Required)) {
      const bool is_wrong = refuse(table, *name, check_index_name(name->value));
      if (!is_wrong && !names.insert(name->value).second) {
        refuse(table, *name, Fault{fmt::format("there are two called `{}`", name->value), ""});
      }
      index.name = std::move(name->value);
    }
    if (auto url = table.text("url")) {
      refuse(table, *url, check_index_url(url->value));
      index.url = std::move(url->value);
      while (index.url.ends_with('/')) index.url.pop_back();
    }
    if (auto kind = table.text("kind")) {
      if (kind->value == "per-cuda") index.kind = PythonIndex::Kind::PerCuda;
      if (kind->value != "per-cuda" && kind->value != "simple") {
        refuse(table, *kind,
               Fault{fmt::format("`{}` is no kind of index", kind->value),
                     "write `simple` or `per-cuda`"});
      }
    }
    index.packages = read_checked(table, "packages", check_package_pattern);
    table.refuse_the_rest(project_keys());
    indexes.push_back(std::move(index));
  }
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
  if (auto mode = table->text("default")) {
    refuse(*table, *mode, check_plain_name(mode->value));
    image.default_mode = std::move(mode->value);
  }
  table->not_yet({"labels", "env"});
  table->refuse_the_rest(project_keys());
}

void read_target(TableReader& root, Target& target) {
  auto table = root.table("target");
  if (!table) return;
  for (Read<std::string>& gpu : table->text_or_texts("gpu")) {
    const bool is_wrong = refuse(*table, gpu, check_gpu(gpu.value));
    const bool is_double = std::ranges::find(target.gpus, gpu.value) != target.gpus.end();
    if (!is_wrong && is_double) {
      refuse(*table, gpu, Fault{fmt::format("`{}` is there twice", gpu.value), "take one out"});
    }
    if (!is_wrong && !is_double) target.gpus.push_back(std::move(gpu.value));
  }
  if (auto driver = table->text("driver")) {
    refuse(*table, *driver, check_driver(driver->value));
    target.driver = std::move(driver->value);
  }
  if (auto compat = table->text("cuda-compat")) {
    refuse(*table, *compat, check_cuda_compat(compat->value));
    target.cuda_compat = std::move(compat->value);
    if (target.gpus.empty() || target.driver.empty()) {
      table->problem(compat->at, "`target.cuda-compat` alone says nothing",
                     "it works on some GPUs and for some drivers: name them in `gpu` and `driver`");
    }
  }
  if (auto cpu = table->text("cpu")) {
    refuse(*table, *cpu, check_cpu(cpu->value));
    target.cpu = std::move(cpu->value);
  }
  if (auto names = read_checked(*table, "arch", check_architecture); !names.empty()) {
    target.architectures = std::move(names);
  }
  table->not_yet({"glibc", "cuda", "os"});
  table->refuse_the_rest(project_keys());
}

void read_python(TableReader& root, const Base& base, Python& python) {
  if (!base.image.empty()) python.version.clear();
  auto table = root.table("python");
  if (!table) return;
  read_python_version(*table, base, python);
  python.packages = read_checked(*table, "packages", check_requirement);
  read_indexes(*table, python.indexes);
  table->not_yet({"prereleases", "wheels", "constraints", "sources"});
  table->refuse_the_rest(project_keys());
}

}  // namespace slipway::spec
