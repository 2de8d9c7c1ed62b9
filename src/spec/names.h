/// The small grammars of the names in our files. Each function tells what is wrong with a text, and
/// nothing where it is right.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::spec {

struct Fault {
  std::string message;  ///< goes after "`the.key`: "
  std::string hint;
  ErrorKind kind = ErrorKind::InvalidInput;
};

/// OCI distribution spec 1.1, "Pulling manifests": <name>, <reference> as a tag. Docker's limit of
/// 255 characters for a name is kept, so that each of our images has a name there too.
std::optional<Fault> check_image_name(std::string_view name);
std::optional<Fault> check_image_tag(std::string_view tag);

/// Debian policy 5.6.1: at least two of a-z 0-9 + - . , beginning with a letter or digit.
std::optional<Fault> check_debian_package(std::string_view name);

/// The names that adduser(8) takes by default, at most 32 characters; not one of base-passwd's.
std::optional<Fault> check_user_name(std::string_view name);

/// One of a-z 0-9 first, then also `-` and `_`: modes, indexes, GPUs.
std::optional<Fault> check_plain_name(std::string_view name);

/// A path in the project, as ProjectCode::copy holds it, but for `./` at the front and `/` at the
/// end, which normal_copy_path takes off.
std::optional<Fault> check_copy_path(std::string_view path);
std::string normal_copy_path(std::string_view path);

/// http, https or file, with something behind it.
std::optional<Fault> check_url(std::string_view url);

/// Is `inner` the same as `outer`, or below it? Both normal.
bool is_within(std::string_view inner, std::string_view outer);

}  // namespace slipway::spec
