/// What all exchanges of a Client share. Internal to http.
#pragma once

#include <map>
#include <string>

#include "base/threads.h"
#include "http/client.h"

namespace slipway::http {

struct Credentials {
  std::string user;
  std::string password;
};

struct Client::Shared {
  ClientOptions options;
  std::string ca_file;                                      ///< empty: libcurl's own
  std::string netrc_file;                                   ///< empty: ~/.netrc
  Guarded<std::map<std::string, Credentials>> credentials;  ///< by url_origin
};

/// What every handle (a CURL*) is set to: who we are, proxies, certificates, time limits.
void set_shared_options(void* handle, const Client::Shared& shared);

}  // namespace slipway::http
