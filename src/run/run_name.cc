#include "run/run_name.h"

#include <sys/random.h>

#include <algorithm>
#include <array>

namespace slipway::run {
namespace {

constexpr std::array<std::string_view, 48> kManners{
    "amber",  "brave",   "brisk",   "calm",   "candid", "cheery", "clear", "clever",
    "cosy",   "crisp",   "curious", "deft",   "eager",  "early",  "fair",  "fond",
    "gentle", "glad",    "golden",  "hardy",  "honest", "humble", "jolly", "keen",
    "kind",   "lively",  "loyal",   "lucky",  "mellow", "merry",  "mild",  "neat",
    "nimble", "patient", "plucky",  "polite", "quick",  "quiet",  "ready", "rosy",
    "serene", "silver",  "steady",  "sunny",  "swift",  "tidy",   "warm",  "witty"};
constexpr std::array<std::string_view, 48> kThings{
    "alder",   "anchor", "badger", "beacon", "birch",  "bridge",  "canoe",  "cedar",
    "clover",  "comet",  "cove",   "crane",  "curlew", "dune",    "falcon", "fern",
    "fjord",   "harbor", "hazel",  "heron",  "island", "juniper", "kite",   "lagoon",
    "lantern", "linnet", "lock",   "maple",  "meadow", "mole",    "oar",    "osprey",
    "otter",   "pebble", "pier",   "plover", "quay",   "raft",    "reed",   "robin",
    "rudder",  "sail",   "sloop",  "swan",   "tern",   "tide",    "willow", "wren"};

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::size_t number_at(std::string_view random, std::size_t place) {
  return place < random.size() ? static_cast<unsigned char>(random[place]) : 0U;
}

}  // namespace

Result<std::string> random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (::getrandom(bytes.data(), count, 0) != static_cast<ssize_t>(count)) {
    return errno_error("cannot get random bytes");
  }
  return bytes;
}

std::string hex_text(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string make_run_name(std::string_view random, int tries) {
  std::string name = fmt::format("{}_{}", kManners[number_at(random, 0) % kManners.size()],
                                 kThings[number_at(random, 1) % kThings.size()]);
  if (tries >= 4) name += fmt::format("{}", number_at(random, 2) * 256 + number_at(random, 3));
  return name;
}

Result<void> check_run_name(std::string_view name) {
  const bool is_good = name.size() >= 2 && name.size() <= 128 && is_alphanumeric(name[0]) &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                         return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
                       });
  if (is_good) return {};
  return make_error(ErrorKind::InvalidInput, "`{}` is no name for a run", name)
      .hint("use letters, digits, `_`, `.` and `-`, at least two, the first no sign");
}

}  // namespace slipway::run
