#include "cli/command_line.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::cli;

namespace {

Call call_of(const std::vector<std::string>& words) {
  auto parsed = parse_command_line(words);
  REQUIRE(parsed.ok());
  REQUIRE(std::holds_alternative<Call>(parsed.value()));
  return std::get<Call>(parsed.value());
}

std::string text_of(const std::vector<std::string>& words) {
  auto parsed = parse_command_line(words);
  REQUIRE(parsed.ok());
  REQUIRE(std::holds_alternative<Text>(parsed.value()));
  return std::get<Text>(parsed.value()).text;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("run takes docker's words") {
  const Call call = call_of({"run", "--gpus", "all", "-v", "a:/b", "-v", "c:/d:ro", "--memory=32g",
                             "-it", "--rm", "image:2.6", "python", "-c", "print(1)"});
  CHECK(call.command->name == "run");
  CHECK(call.invocation.find("gpus") == "all");
  CHECK(call.invocation.all("volume") == Words{"a:/b", "c:/d:ro"});
  CHECK(call.invocation.find("memory") == "32g");
  CHECK(call.invocation.has("interactive"));
  CHECK(call.invocation.has("tty"));
  CHECK_FALSE(call.invocation.has("read-only"));
  CHECK(call.invocation.operands == Words{"image:2.6", "python", "-c", "print(1)"});
}

TEST_CASE("what stands behind -- is the command's, whatever it looks like") {
  const Call call = call_of({"-C", "there", "run", "--cpus", "2", "--", "ls", "--rm", "--", "-v"});
  CHECK(call.folder == "there");
  CHECK(call.invocation.operands.empty());
  CHECK(call.invocation.after_dashes == Words{"ls", "--rm", "--", "-v"});
  CHECK_FALSE(call.invocation.has("rm"));
}

TEST_CASE("options of the command in the container are not ours") {
  const Call call = call_of({"run", "image", "prog", "--gpus", "all", "--nonsense"});
  CHECK(call.invocation.operands == Words{"image", "prog", "--gpus", "all", "--nonsense"});
  CHECK_FALSE(call.invocation.has("gpus"));
}

TEST_CASE("wrong words are refused, with the nearest right ones") {
  struct Case {
    Words words;
    const char* message;
    const char* hint;
  };
  const Case cases[] = {
      {{"biuld"}, "there is no command `biuld`", "did you mean `build`?"},
      {{"rmi", "x"}, "there is no command `rmi`", "`slipway gc --image NAME`"},
      {{"build", "--lockd"}, "`slipway build` has no option `--lockd`", "did you mean `--locked`?"},
      {{"run", "--gpu", "all"}, "`slipway run` has no option `--gpu`", "did you mean `--gpus`?"},
      {{"build", "x"}, "`slipway build` does not know what to do with `x`", "usage: "},
      {{"images", "--json", "--", "x"}, "`slipway images` takes no `--`", "usage: "},
      {{"--nope"}, "there is no option `--nope` before the command", "`slipway --help`"},
      {{"-C"}, "`-C` needs a folder", nullptr},
  };
  for (const Case& c : cases) {
    CAPTURE(c.message);
    const auto parsed = parse_command_line(c.words);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().kind == ErrorKind::InvalidInput);
    CHECK(parsed.error().message == c.message);
    if (c.hint != nullptr) {
      REQUIRE_FALSE(parsed.error().hints.empty());
      CHECK(parsed.error().hints[0].find(c.hint) == 0);
    }
  }
  CHECK_FALSE(parse_command_line({"run", "--memory"}).ok());
}

TEST_CASE("help names every option and two examples of each command") {
  const std::string overview = text_of({"--help"});
  for (const Command& command : commands()) {
    CAPTURE(command.name);
    CHECK(overview.find("  " + command.name) != std::string::npos);
    CHECK(command.examples.size() == 2);
    const std::string help = text_of({command.name, "--help"});
    CHECK(text_of({"help", command.name}) == help);
    for (const Option& option : command.options) {
      CAPTURE(option.names);
      CHECK(help.find(option.help) != std::string::npos);
      CHECK(option.names.find("--") != std::string::npos);
    }
    for (const Example& example : command.examples) {
      CHECK(help.find(example.command) != std::string::npos);
    }
  }
}
