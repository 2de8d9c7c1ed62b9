#include "cli/print_error.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::cli;

TEST_CASE("an error is told as one argument") {
  const Error error =
      make_error(ErrorKind::Unsolvable, "nothing satisfies `train.toml` on this host")
          .reason("torch 2.6.0+cu124 needs CUDA 12.4")
          .reason("CUDA 12 needs driver 525 or newer")
          .reason("so this host has to have it")
          .hint("update the driver")
          .while_doing("locking `train.toml`");
  CHECK(error_text(error, Colour::No) ==
        "error: nothing satisfies `train.toml` on this host\n"
        "  while locking `train.toml`\n"
        "  because torch 2.6.0+cu124 needs CUDA 12.4\n"
        "  and CUDA 12 needs driver 525 or newer\n"
        "  so this host has to have it\n"
        "hint: update the driver\n");
  CHECK(error_text(error, Colour::Yes).starts_with("\x1b[1;31merror:\x1b[0m nothing"));
}

TEST_CASE("mistakes in a file are a list, not an argument") {
  const Error error = make_error(ErrorKind::InvalidInput, "`slipway.toml` has 2 mistakes")
                          .reason("a b/slipway.toml:3:1: `x` is not a known key")
                          .reason("slipway.toml:14:12: `y` is missing");
  CHECK(error_text(error, Colour::No) ==
        "error: `slipway.toml` has 2 mistakes\n"
        "  a b/slipway.toml:3:1: `x` is not a known key\n"
        "  slipway.toml:14:12: `y` is missing\n");
}

TEST_CASE("what another program said keeps its lines and loses its power over the terminal") {
  const Error error = make_error(ErrorKind::Io, "`gpgv` ended with status 1")
                          .reason(
                              "\x1b[2Jline one\nline \x07two\xc2\x9b"
                              "31m");
  CHECK(error_text(error, Colour::No) ==
        "error: `gpgv` ended with status 1\n"
        "  because ?[2Jline one\n"
        "  line ?two?31m\n");
}

TEST_CASE("each kind has its exit code") {
  struct Case {
    ErrorKind kind;
    int code;
  };
  for (const Case& c :
       {Case{ErrorKind::InvalidInput, 2}, Case{ErrorKind::Unsolvable, 3},
        Case{ErrorKind::Unavailable, 4}, Case{ErrorKind::Cancelled, 130},
        Case{ErrorKind::NotFound, 1}, Case{ErrorKind::Corrupt, 1}, Case{ErrorKind::Denied, 1},
        Case{ErrorKind::Unsupported, 1}, Case{ErrorKind::Io, 1}}) {
    CHECK(exit_code(c.kind) == c.code);
  }
}
