/// The one way in which Slipway says that something failed.
///
/// Every operation that can fail returns Result<T>. An Error is a kind on which a caller may act,
/// one sentence, the steps that were under way (outermost first) and hints about what to do. Only
/// `cli` prints it. Messages are lower case, without a final full stop, literals in backticks.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"

namespace slipway {

enum class ErrorKind {
  InvalidInput,  ///< what the user wrote is wrong: exit 2
  Unsolvable,    ///< the request is well formed and has no solution: exit 3
  NotFound,      ///< a named thing is not there
  Unavailable,   ///< the network or a service failed; a retry may help: exit 4
  Corrupt,       ///< bytes are not what they claim to be
  Denied,        ///< permission is missing
  Unsupported,   ///< valid, but this host or this version cannot do it
  Cancelled,     ///< the user stopped it: exit 130
  Io,            ///< a system call failed
};

struct Error {
  ErrorKind kind = ErrorKind::Io;
  std::string message;
  std::vector<std::string> because;  ///< the chain of reasons, most general first
  std::vector<std::string> hints;    ///< what to do about it
  std::vector<std::string> steps;    ///< what was being done, outermost first

  Error&& hint(std::string text) && {
    hints.push_back(std::move(text));
    return std::move(*this);
  }
  Error&& reason(std::string text) && {
    because.push_back(std::move(text));
    return std::move(*this);
  }
  Error&& while_doing(std::string step) && {
    steps.insert(steps.begin(), std::move(step));
    return std::move(*this);
  }
};

template <typename... Args>
[[nodiscard]] Error make_error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return Error{kind, fmt::format(format, std::forward<Args>(args)...), {}, {}, {}};
}

/// An Io error (NotFound, Denied where errno says so) for a failed system call: "what: strerror".
[[nodiscard]] Error errno_error(std::string_view what);
[[nodiscard]] Error errno_error(std::string_view what, int error_number);

/// A value or an Error. `value()` on an Error is a bug of ours and ends the process.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    SLIPWAY_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    SLIPWAY_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    SLIPWAY_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  const Error& error() const& {
    SLIPWAY_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    SLIPWAY_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return error_.index() == 0; }
  explicit operator bool() const { return ok(); }
  void value() const { SLIPWAY_CHECK(ok()); }
  const Error& error() const& {
    SLIPWAY_CHECK(!ok());
    return *std::get_if<1>(&error_);
  }
  Error&& error() && {
    SLIPWAY_CHECK(!ok());
    return std::move(*std::get_if<1>(&error_));
  }

 private:
  std::variant<std::monostate, Error> error_;
};

}  // namespace slipway

/// Unwraps a Result or returns its Error from the enclosing function: `auto x = TRY(parse(s));`
#define TRY(expression)                                                   \
  __extension__({                                                         \
    auto slipway_result_ = (expression);                                  \
    if (!slipway_result_.ok()) return std::move(slipway_result_).error(); \
    std::move(slipway_result_).value();                                   \
  })

/// TRY that also names the step that was under way: TRY_WHILE("building layer torch", build(x)).
#define TRY_WHILE(step, expression)                                                         \
  __extension__({                                                                           \
    auto slipway_result_ = (expression);                                                    \
    if (!slipway_result_.ok()) return std::move(slipway_result_).error().while_doing(step); \
    std::move(slipway_result_).value();                                                     \
  })
