#include "plan/registries.h"

#include <algorithm>

#include "base/environment.h"
#include "base/file.h"
#include "registry/docker_config.h"

namespace slipway::plan {
namespace {

Result<void> merge_file(const std::string& file, spec::RegistriesConf& conf) {
  if (!path_exists(file)) return {};
  const std::string text = TRY(read_file(file));
  conf.merge(TRY(spec::parse_registries_conf(text, file)));
  return {};
}

Result<void> merge_folder(const std::string& folder, spec::RegistriesConf& conf) {
  if (!is_folder(folder)) return {};
  for (const std::string& name : TRY(list_folder(folder))) {
    if (name.ends_with(".conf")) TRY(merge_file(join_path(folder, name), conf));
  }
  return {};
}

/// `host/path/name` as an ImageName; the tag is `name`'s.
Result<store::ImageName> whole_name(const std::string& text, const store::ImageName& name) {
  store::ImageName whole = TRY(store::parse_image_name(text + ":" + name.tag));
  if (whole.registry.empty()) {
    return make_error(ErrorKind::InvalidInput, "`{}` names no registry by its host", text);
  }
  return whole;
}

Result<store::ImageName> add_host(const store::ImageName& name, const spec::RegistriesConf& conf,
                                  const Tools& tools) {
  const auto alias = conf.aliases.find(name.name);
  if (alias != conf.aliases.end()) return whole_name(alias->second, name);
  const std::string& ours = tools.host.default_registry;
  if (!ours.empty()) return whole_name(ours + "/" + name.name, name);
  if (!conf.search.empty()) return whole_name(conf.search.front() + "/" + name.name, name);
  return make_error(ErrorKind::InvalidInput, "`{}` does not say at which registry it is",
                    name.text())
      .hint(fmt::format("write `HOST/{}`", name.text()))
      .hint(
          "or name a default: `[registry] default = \"HOST\"` in config.toml, or "
          "`unqualified-search-registries` in /etc/containers/registries.conf");
}

}  // namespace

Result<spec::RegistriesConf> read_registries_conf() {
  spec::RegistriesConf conf;
  const auto home = find_environment("HOME");
  const auto configured = find_environment("XDG_CONFIG_HOME");
  const std::string own =
      (configured ? *configured : home.value_or("/nonexistent") + "/.config") + "/containers";
  if (const auto file = find_environment("CONTAINERS_REGISTRIES_CONF")) {
    TRY(merge_file(*file, conf));
    return conf;
  }
  const bool has_own = path_exists(own + "/registries.conf");
  TRY(merge_file(has_own ? own + "/registries.conf" : "/etc/containers/registries.conf", conf));
  TRY(merge_folder("/etc/containers/registries.conf.d", conf));
  TRY(merge_folder(own + "/registries.conf.d", conf));
  return conf;
}

Result<ImagePlace> find_place(const store::ImageName& name, registry::Trust told,
                              const Tools& tools) {
  const spec::RegistriesConf conf = TRY(read_registries_conf());
  ImagePlace place;
  place.name = name.registry.empty() ? TRY(add_host(name, conf, tools)) : name;
  place.host.trust = told;
  std::string where = fmt::format("{}/{}", place.name.registry, place.name.name);
  if (const spec::KnownRegistry* known = conf.find(where)) {
    if (known->blocked == spec::Blocked::Yes) {
      return make_error(ErrorKind::Denied, "`{}` is blocked by this machine's registries.conf",
                        known->prefix);
    }
    if (known->insecure == spec::Insecure::Yes) place.host.trust = registry::Trust::Insecure;
    where = spec::relocate(*known, where);
  }
  const std::size_t slash = where.find('/');
  if (slash == std::string::npos) {
    return make_error(ErrorKind::InvalidInput, "`{}` is no place for an image", where);
  }
  place.host.name = where.substr(0, slash);
  place.repository = where.substr(slash + 1);
  const auto& insecure = tools.host.insecure_registries;
  if (std::ranges::find(insecure, place.host.name) != insecure.end()) {
    place.host.trust = registry::Trust::Insecure;
  }
  // A login is kept under the registry's name, wherever its server is.
  place.host.login =
      TRY(registry::find_host_login(place.name.registry, place.name.name, tools.cancel));
  return place;
}

}  // namespace slipway::plan
