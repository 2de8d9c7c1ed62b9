#include "layer/direct_writer.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "base/file.h"

using namespace slipway;
using namespace slipway::layer;

namespace {

std::string some_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>(i * 7 + i / 4096);
  return bytes;
}

/// To its end, or `most` buffers.
void submit(DirectWriter& writer, std::string_view bytes, std::size_t most = 1000) {
  while (!bytes.empty() && most-- > 0) {
    const auto buffer = writer.buffer().value();
    const std::size_t count = std::min(buffer.size(), bytes.size());
    std::ranges::copy(as_bytes(bytes).first(count), buffer.begin());
    REQUIRE(writer.submit(count).ok());
    bytes.remove_prefix(count);
  }
}

}  // namespace

TEST_CASE("an observer sees each file's bytes in their order, and the files have them") {
  const TemporaryFolder folder = TemporaryFolder::create("/var/tmp", "direct").value();
  const std::string bytes = some_bytes(9'000'001);
  std::string seen[2];
  {
    DirectWriter writer;
    for (int i = 0; i < 2; ++i) {
      const std::string path = join_path(folder.path(), std::to_string(i));
      const DirectWriter::ObserverScope scope(writer);
      REQUIRE(writer
                  .begin(open_file(path, O_WRONLY | O_CREAT, 0600).value(), bytes.size(), path,
                         [&seen, i](Bytes piece) { seen[i] += as_text(piece); })
                  .ok());
      submit(writer, bytes);
      REQUIRE(writer.end(0600).ok());
    }
    REQUIRE(writer.finish().ok());
  }
  for (int i = 0; i < 2; ++i) {
    CHECK((seen[i] == bytes));
    CHECK((read_file(join_path(folder.path(), std::to_string(i))).value() == bytes));
  }
}

TEST_CASE("where a file breaks off, its observer is done before what it borrows is gone") {
  const TemporaryFolder folder = TemporaryFolder::create("/var/tmp", "direct").value();
  const std::string path = join_path(folder.path(), "file"), bytes = some_bytes(8'000'000);
  DirectWriter writer;
  std::size_t seen = 0;
  const auto break_off = [&] {
    const DirectWriter::ObserverScope scope(writer);
    const auto observe = [&seen](Bytes piece) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      seen += piece.size();
    };
    REQUIRE(
        writer.begin(open_file(path, O_WRONLY | O_CREAT, 0600).value(), bytes.size(), path, observe)
            .ok());
    submit(writer, bytes, 4);
  };
  break_off();
  CHECK(seen == 4 * DirectWriter::kBufferBytes);
}
