/// The user databases of an image as text: passwd(5), group(5), shadow(5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::layer {

struct ImageUser {
  std::string name = "dev";
  std::uint32_t uid = 1000;  ///< also the gid of the user's own group
  std::string home = "/home/dev";
  std::string shell = "/bin/bash";
};

struct UserFiles {
  std::string passwd;
  std::string group;
  std::string shadow;
  bool operator==(const UserFiles&) const = default;
};

/// `base` with the user and a group of the same name and id; the password is locked in a way that
/// still lets in by key (`*`, not `!`: sshd refuses accounts whose field begins with `!`). Already
/// there with the same ids: unchanged lines. Fails with InvalidInput for a name that useradd(8)
/// would refuse, or when the name or the id belongs to another. Pure.
Result<UserFiles> add_user(const UserFiles& base, const ImageUser& user);

}  // namespace slipway::layer
