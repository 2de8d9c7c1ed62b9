#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>

#include "base/nearest.h"
#include "cli/version.h"

namespace slipway::cli {
namespace {

constexpr const char* kHelpHint =
    "`slipway --help` lists the commands, `slipway COMMAND --help` its options";

std::string long_name(const Option& option) {
  // Of several, the first is its key.
  const std::size_t dashes = option.names.find("--");
  return option.names.substr(dashes + 2, option.names.find(',', dashes) - dashes - 2);
}

std::string usage_of(const Command& command) {
  std::string text = "slipway " + command.name;
  if (!command.options.empty()) text += " [OPTIONS]";
  switch (command.operand) {
    case Operand::None:
      break;
    case Operand::Optional:
    case Operand::UpToTwo:
      text += fmt::format(" [{}]", command.operand_name);
      break;
    case Operand::Required:
      text += " " + command.operand_name;
      break;
    case Operand::Many:
      text += fmt::format(" {0} [{0}...]", command.operand_name);
      break;
    case Operand::Any:
      text += fmt::format(" [{}...]", command.operand_name);
      break;
    case Operand::Rest:
      text += fmt::format(" [{}] [-- COMMAND...]", command.operand_name);
      break;
  }
  return text;
}

std::string help_of(const Command& command) {
  std::string text = fmt::format("{}\n\nUsage: {}\n", command.summary, usage_of(command));
  if (!command.options.empty()) text += "\nOptions:\n";
  for (const Option& option : command.options) {
    std::string left = option.names;
    std::replace(left.begin(), left.end(), ',', ' ');
    if (!option.value_name.empty()) left += " " + option.value_name;
    text += left.size() > 25 ? fmt::format("  {}\n{:29}{}\n", left, "", option.help)
                             : fmt::format("  {:<27}{}\n", left, option.help);
  }
  text += "\nExamples:\n";
  for (const Example& example : command.examples) {
    text += fmt::format("  {}\n      {}\n", example.command, example.says);
  }
  return text;
}

std::string overview() {
  std::string text =
      "slipway: one file, one lock, one reproducible PyTorch + CUDA image, proven to fit\n\n"
      "Usage: slipway [-C FOLDER] COMMAND ...\n\nCommands:\n";
  for (const Command& command : commands()) {
    text += fmt::format("  {:<10}{}\n", command.name, command.summary);
  }
  text +=
      "\nOptions:\n"
      "  -C FOLDER   work in the project there\n"
      "  --version   print the version\n"
      "  --help      this text; after a command: its options and examples\n";
  return text;
}

Error unknown_option(const Command& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> known{"--help"};
  for (const Option& option : command.options) known.push_back("--" + long_name(option));
  Error error =
      make_error(ErrorKind::InvalidInput, "`slipway {}` has no option `{}`", command.name, name);
  const auto nearest = find_nearest(name, known);
  error.hints.push_back(nearest.empty()
                            ? fmt::format("`slipway {} --help` lists its options", command.name)
                            : did_you_mean(nearest));
  return error;
}

const Command* find_command(std::string_view name) {
  for (const Command& command : commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

/// What people type who come from Docker, and what it is called here.
constexpr std::pair<std::string_view, std::string_view> kWordsOfDocker[] = {
    {"rmi", "`slipway gc --image NAME` removes an image, and what only it needs"},
    {"image", "`slipway images` lists images, `slipway gc --image NAME` removes one"},
    {"container", "`slipway ps` lists runs, `slipway rm RUN` removes one"},
    {"system", "`slipway gc` removes what no image needs, `slipway doctor` looks at this host"},
    {"prune", "`slipway gc` removes what no image needs, `slipway rm --ended` old runs"},
    {"login", "`docker login` or `podman login`: slipway uses the credentials that they keep"},
    {"logout", "`docker logout` or `podman logout`: slipway uses the credentials that they keep"},
    {"tag",
     "`slipway push IMAGE HOST/NAME:TAG` names it there; here, [image] in slipway.toml does"},
    {"history", "`slipway inspect IMAGE` shows its layers and what is in each"},
    {"info", "`slipway doctor` looks at this host"},
    {"top", "`slipway stats` shows what runs use, `slipway exec RUN -- ps` its processes"},
    {"create", "`slipway run` makes and starts it; with -d it does not wait"},
    {"restart", "`slipway stop RUN`, then `slipway start RUN`"},
    {"cp", "a volume, `slipway run -v FOLDER:/PLACE`, carries files in and out"},
    {"commit",
     "an image is made from slipway.toml alone; `slipway capture` makes one of this host"},
    {"buildx", "`slipway build`, with --push for a registry"},
};

Error unknown_command(const std::string& name) {
  Error error = make_error(ErrorKind::InvalidInput, "there is no command `{}`", name);
  const auto* const of_docker =
      std::ranges::find(kWordsOfDocker, name, [](const auto& one) { return one.first; });
  if (of_docker != std::end(kWordsOfDocker))
    return std::move(error).hint(std::string(of_docker->second));
  std::vector<std::string> known;
  for (const Command& command : commands()) known.push_back(command.name);
  const auto nearest = find_nearest(name, known);
  error.hints.push_back(nearest.empty() ? kHelpHint : did_you_mean(nearest));
  return error;
}

/// CLI11 does the parsing proper; its exceptions end here.
Result<Invocation> parse_words(const Command& command, std::vector<std::string> words) {
  Invocation invocation;
  const auto dashes = std::find(words.begin(), words.end(), "--");
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  if (command.operand == Operand::Rest) app.prefix_command();
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, bool> switches;
  for (const Option& option : command.options) {
    const std::string name = long_name(option);
    if (option.value_name.empty()) {
      app.add_flag(option.names, switches[name]);
    } else {
      app.add_option(option.names, values[name])
          ->expected(1)
          ->take_all()
          ->allow_extra_args(false)
          ->trigger_on_parse(false);
    }
  }
  std::vector<std::string> front(words.begin(), dashes);
  if (dashes != words.end()) {
    invocation.has_dashes = true;
    invocation.after_dashes.assign(dashes + 1, words.end());
  }
  std::reverse(front.begin(), front.end());  // CLI11 takes its words from the back
  try {
    app.parse(front);
  } catch (const CLI::ParseError& error) {
    std::string said = error.what();
    if (!said.empty()) said[0] = static_cast<char>(std::tolower(said[0]));
    return make_error(ErrorKind::InvalidInput, "`slipway {}`: {}", command.name, said)
        .hint(fmt::format("`slipway {} --help` shows how it is used", command.name));
  }
  for (auto& [name, list] : values) {
    if (!list.empty()) invocation.options[name] = std::move(list);
  }
  for (const auto& [name, given] : switches) {
    if (given) invocation.options[name] = {};
  }
  invocation.operands = app.remaining();
  return invocation;
}

std::size_t most_operands(Operand operand) {
  switch (operand) {
    case Operand::None:
      return 0;
    case Operand::Optional:
    case Operand::Required:
      return 1;
    case Operand::UpToTwo:
      return 2;
    case Operand::Rest:
    case Operand::Many:
    case Operand::Any:
      break;
  }
  return SIZE_MAX;
}

Result<void> check_operands(const Command& command, const Invocation& invocation) {
  const auto& operands = invocation.operands;
  const bool rest = command.operand == Operand::Rest;
  for (std::size_t i = 0; i < operands.size() && !(rest && i > 0); ++i) {
    if (operands[i].size() > 1 && operands[i].starts_with('-')) {
      return unknown_option(command, operands[i]);
    }
  }
  const std::size_t most = most_operands(command.operand);
  if (operands.size() > most) {
    return make_error(ErrorKind::InvalidInput, "`slipway {}` does not know what to do with `{}`",
                      command.name, operands[most])
        .hint("usage: " + usage_of(command));
  }
  const bool needs_one = command.operand == Operand::Required || command.operand == Operand::Many;
  if (needs_one && operands.empty()) {
    return make_error(ErrorKind::InvalidInput, "`slipway {}` needs {}", command.name,
                      command.operand_name)
        .hint("usage: " + usage_of(command));
  }
  if (!rest && invocation.has_dashes) {
    return make_error(ErrorKind::InvalidInput, "`slipway {}` takes no `--`", command.name)
        .hint("usage: " + usage_of(command));
  }
  return {};
}

bool asks_for_help(const Command& command, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == "--help" || (word == "-h" && command.operand != Operand::Rest)) return true;
    // Behind `run IMAGE`, words belong to the command that runs.
    if (command.operand == Operand::Rest && !word.starts_with('-')) return false;
  }
  return false;
}

}  // namespace

std::optional<std::string> Invocation::find(const std::string& name) const {
  const auto found = options.find(name);
  if (found == options.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Invocation::all(const std::string& name) const {
  const auto found = options.find(name);
  return found == options.end() ? std::vector<std::string>{} : found->second;
}

Option json_option() { return {"--json", "", "answer with one JSON object"}; }

Result<std::variant<Text, Call>> parse_command_line(const std::vector<std::string>& arguments) {
  using Answer = std::variant<Text, Call>;
  Call call{nullptr, {}, "."};
  std::size_t next = 0;
  for (; next < arguments.size() && arguments[next].starts_with('-'); ++next) {
    const std::string& word = arguments[next];
    if (word == "--help" || word == "-h") return Answer(Text{overview()});
    if (word == "--version") return Answer(Text{fmt::format("slipway {}\n", kVersion)});
    if (word == "-C" && next + 1 < arguments.size()) {
      call.folder = arguments[++next];
    } else if (word == "-C") {
      return make_error(ErrorKind::InvalidInput, "`-C` needs a folder");
    } else {
      return make_error(ErrorKind::InvalidInput, "there is no option `{}` before the command", word)
          .hint(kHelpHint);
    }
  }
  if (next == arguments.size()) return Answer(Text{overview()});

  if (arguments[next] == "help") {
    const Command* about =
        next + 1 < arguments.size() ? find_command(arguments[next + 1]) : nullptr;
    return Answer(Text{about != nullptr ? help_of(*about) : overview()});
  }
  call.command = find_command(arguments[next]);
  if (call.command == nullptr) return unknown_command(arguments[next]);
  std::vector<std::string> words(arguments.begin() + static_cast<std::ptrdiff_t>(next) + 1,
                                 arguments.end());
  if (asks_for_help(*call.command, words)) return Answer(Text{help_of(*call.command)});
  call.invocation = TRY(parse_words(*call.command, std::move(words)));
  TRY(check_operands(*call.command, call.invocation));
  return Answer(std::move(call));
}

}  // namespace slipway::cli
