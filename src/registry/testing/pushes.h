/// What tests of pushing have in common.
#pragma once

#include <string>

#include "registry/registry.h"
#include "registry/testing/fake_registry.h"

namespace slipway::registry::testing {

inline http::ClientOptions quick() {
  http::ClientOptions options;
  options.first_delay = std::chrono::milliseconds(1);
  options.longest_delay = std::chrono::milliseconds(5);
  options.retries = 3;
  return options;
}

inline const Login kLogin{"me", "secret", ""};

inline Registry open(FakeRegistry& fake, const Login& login = {}) {
  return Registry::open({fake.host(), Trust::Checked, login}, quick(), CancelToken()).value();
}

/// Of 9 MiB and a little.
inline std::string large_bytes() {
  std::string bytes;
  for (unsigned i = 0; bytes.size() < (9 << 20); ++i) bytes += fmt::format("{} ", i * 2654435761U);
  return bytes;
}

inline Blob blob_of(const std::string& bytes) {
  return {sha256(bytes), bytes.size(), [&bytes](Sink& out) { return out.write(as_bytes(bytes)); }};
}

inline bool is_upload(const FakeRequest& request, const char* method) {
  return request.method == method && request.path.find("/uploads/") != std::string::npos;
}

}  // namespace slipway::registry::testing
