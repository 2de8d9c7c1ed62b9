// slipway_fake_index DIR [PORT]: serves the wheels of a folder as a Python package index, prints
// its URL, and ends when its standard input does.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "index/testing/fake_index.h"

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: slipway_fake_index DIR [PORT]\n");
    return 2;
  }
  const int port = count > 2 ? std::atoi(arguments[2]) : 0;
  auto index = slipway::index::testing::FakeIndex::serve_folder(arguments[1], port);
  if (!index.ok()) {
    fmt::print(stderr, "error: {}\n", index.error().message);
    return 1;
  }
  fmt::print("{}\n", index.value()->url());
  std::fflush(stdout);
  std::array<char, 64> bytes;
  while (::read(STDIN_FILENO, bytes.data(), bytes.size()) > 0) {
  }
  return 0;
}
