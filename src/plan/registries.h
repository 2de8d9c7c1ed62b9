/// From an image's name to a registry, as this machine is configured: config.toml, and the files of
/// containers-registries.conf(5). No host is built in.
#pragma once

#include <string>

#include "plan/tools.h"
#include "registry/session.h"
#include "spec/registries_conf.h"
#include "store/image_name.h"

namespace slipway::plan {

/// Where an image is, or goes.
struct ImagePlace {
  store::ImageName name;  ///< whole: with its host
  registry::Host host;    ///< with the login
  std::string repository;
};

/// `/etc/containers/registries.conf` (or $CONTAINERS_REGISTRIES_CONF, or the user's own) and the
/// folders `registries.conf.d` beside them.
Result<spec::RegistriesConf> read_registries_conf();

/// A name without a host is looked up among the aliases, then gets `[registry] default`, then the
/// first of `unqualified-search-registries`. Blocks: may run a credential helper. To be called
/// before a user namespace is entered, in which helpers would be strangers. Fails with InvalidInput
/// where no host can be found for the name, Denied where the registry is blocked, or as
/// registry::find_host_login does.
Result<ImagePlace> find_place(const store::ImageName& name, registry::Trust told,
                              const Tools& tools);

}  // namespace slipway::plan
