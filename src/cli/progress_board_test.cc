#include "cli/progress_board.h"

#include <doctest/doctest.h>

#include "cli/plain_text.h"

using namespace slipway::cli;
using namespace std::chrono_literals;

namespace {

const ProgressBoard::Time kStart{1h};

}  // namespace

TEST_CASE("each task has its line, with bytes, percentage and rate") {
  ProgressBoard board;
  CHECK(board.draw(kStart, 79, 24).empty());
  const auto torch = board.start(kStart, "downloading", "torch 2.6.0", 767'000'000);
  const auto numpy = board.start(kStart, "downloading", "numpy 2.2.6", 0);
  board.advance(torch, 100'000'000);
  board.advance(numpy, 5'000'000);
  const auto lines = board.draw(kStart + 1s, 79, 24);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] ==
        "  downloading torch 2.6.0                     100 MB / 767 MB   13 %   100 MB/s");
  CHECK(lines[1] ==
        "  downloading numpy 2.2.6                              5.0 MB          5.0 MB/s");
  CHECK(lines[2] ==
        "  0 of 2 done                                 105 MB / 772 MB   14 %   105 MB/s");
  CHECK(board.finish(numpy)->bytes == 5'000'000);
  CHECK_FALSE(board.finish(numpy).has_value());
  CHECK(board.draw(kStart + 2s, 79, 24)[1].starts_with("  1 of 2 done"));
  board.finish(torch);
  CHECK(board.idle());
  CHECK(board.draw(kStart + 3s, 79, 24).empty());
}

TEST_CASE("one task alone needs no total") {
  ProgressBoard board;
  board.start(kStart, "configuring", "the base", 0);
  CHECK(board.draw(kStart, 40, 24) == std::vector<std::string>{"  configuring the base"});
}

TEST_CASE("no line is wider than the terminal, and not more lines than it has") {
  ProgressBoard board;
  for (int i = 0; i < 100; ++i) {
    board.advance(board.start(kStart, "laying", std::string(200, 'x') + "é€", 10), 4);
  }
  for (const std::size_t width : {0u, 1u, 5u, 20u, 53u, 79u, 300u}) {
    for (const std::size_t height : {0u, 1u, 2u, 10u, 100u}) {
      CAPTURE(width);
      CAPTURE(height);
      const auto lines = board.draw(kStart + 1s, width, height);
      CHECK(lines.size() <= std::max<std::size_t>(height, 2));
      CHECK(lines.size() <= 13);
      for (const std::string& line : lines) CHECK(columns_of(line) <= width);
    }
  }
  CHECK(board.draw(kStart + 2s, 79, 10).back().find("92 more in flight") != std::string::npos);
}

TEST_CASE("tasks that move stand above those that wait") {
  ProgressBoard board;
  for (int i = 0; i < 20; ++i) board.start(kStart, "downloading", "waiting", 10);
  board.advance(board.start(kStart, "downloading", "moving", 10), 1);
  CHECK(board.draw(kStart + 1s, 79, 5)[0].starts_with("  downloading moving"));
}

TEST_CASE("a stall shows in the rate") {
  Rate rate;
  rate.sample(kStart, 0);
  rate.sample(kStart + 1s, 1000);
  CHECK(rate.bytes_per_second() == doctest::Approx(1000));
  for (int i = 2; i < 30; ++i) rate.sample(kStart + i * 1s, 1000);
  CHECK(rate.bytes_per_second() < 1);
}

TEST_CASE("text is cut by characters, and control characters cannot pass") {
  CHECK(cut_to("häuser", 6) == "häuser");
  CHECK(cut_to("häuser", 3) == "hä…");
  CHECK(cut_to("häuser", 1) == "…");
  CHECK(cut_to("x", 0).empty());
  CHECK(plain_text("a\x1b[31m\r\nb\tc\x7f\xc2\x85ä") == "a?[31m? b c??ä");
}
