#include "spec/reader.h"

#include <algorithm>
#include <tuple>

#include "base/nearest.h"

namespace slipway::spec {
namespace {

constexpr std::string_view kText = "a string";
constexpr std::string_view kTexts = "a list of strings";

/// `python train.py` as `["python", "train.py"]`.
std::string as_list(std::string_view text) {
  std::string list;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    if (space > 0) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return "[" + list + "]";
}

}  // namespace

void Problems::add(Position at, std::string message, std::string hint, ErrorKind kind) {
  list_.push_back({at, std::move(message), std::move(hint), kind});
}

Result<void> Problems::result() const {
  if (list_.empty()) return {};
  std::vector<Problem> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& a, const Problem& b) { return a.at < b.at; });
  const bool only_later = std::all_of(sorted.begin(), sorted.end(), [](const Problem& problem) {
    return problem.kind == ErrorKind::Unsupported;
  });
  const ErrorKind kind = only_later ? ErrorKind::Unsupported : ErrorKind::InvalidInput;
  const auto line = [&](const Problem& problem) {
    return fmt::format("{}:{}:{}: {}", file_name_, problem.at.line, problem.at.column,
                       problem.message);
  };
  if (sorted.size() == 1) {
    Error error = make_error(kind, "{}", line(sorted[0]));
    if (!sorted[0].hint.empty()) error.hints.push_back(sorted[0].hint);
    return error;
  }
  Error error = make_error(kind, "`{}` has {} mistakes", file_name_, sorted.size());
  for (const Problem& problem : sorted) {
    error.because.push_back(line(problem) + (problem.hint.empty() ? "" : "; " + problem.hint));
  }
  return error;
}

std::string TableReader::dotted(std::string_view key) const {
  return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

const Table::Entry* TableReader::find(std::string_view key, Presence presence) {
  known_.emplace_back(key);
  const auto found = table_.entries.find(std::string(key));
  if (found != table_.entries.end()) return &found->second;
  if (presence == Presence::Required) {
    problem(at_, fmt::format("`{}` is missing", dotted(key)));
  }
  return nullptr;
}

void TableReader::wrong_type(const std::string& key, const Value& value, std::string_view wanted,
                             std::string_view example) {
  problem(value.position,
          fmt::format("`{}` has to be {}, and this is {}", key, wanted, value.type_name()),
          fmt::format("write `{} = {}`", key.substr(key.rfind('.') + 1), example));
}

std::optional<Read<std::string>> TableReader::text(std::string_view key, Presence presence) {
  const Table::Entry* entry = find(key, presence);
  if (entry == nullptr) return std::nullopt;
  if (const auto* text = std::get_if<std::string>(&entry->value.data)) {
    return Read<std::string>{*text, entry->value.position, dotted(key)};
  }
  std::string example = "\"...\"";
  if (const auto* integer = std::get_if<std::int64_t>(&entry->value.data)) {
    example = fmt::format("\"{}\"", *integer);
  } else if (const auto* number = std::get_if<double>(&entry->value.data)) {
    example = fmt::format("\"{}\"", *number);
  }
  wrong_type(dotted(key), entry->value, kText, example);
  return std::nullopt;
}

std::optional<Read<std::int64_t>> TableReader::integer(std::string_view key, Presence presence) {
  const Table::Entry* entry = find(key, presence);
  if (entry == nullptr) return std::nullopt;
  if (const auto* integer = std::get_if<std::int64_t>(&entry->value.data)) {
    return Read<std::int64_t>{*integer, entry->value.position, dotted(key)};
  }
  wrong_type(dotted(key), entry->value, "an integer", "1000");
  return std::nullopt;
}

std::optional<Read<double>> TableReader::number(std::string_view key) {
  const Table::Entry* entry = find(key, Presence::Optional);
  if (entry == nullptr) return std::nullopt;
  if (const auto* number = std::get_if<double>(&entry->value.data)) {
    return Read<double>{*number, entry->value.position, dotted(key)};
  }
  if (const auto* integer = std::get_if<std::int64_t>(&entry->value.data)) {
    return Read<double>{static_cast<double>(*integer), entry->value.position, dotted(key)};
  }
  wrong_type(dotted(key), entry->value, "a number", "8");
  return std::nullopt;
}

std::vector<Read<std::string>> TableReader::read_list(const std::string& key, const Array& list) {
  std::vector<Read<std::string>> texts;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string item_key = fmt::format("{}[{}]", key, i);
    if (const auto* text = std::get_if<std::string>(&list[i].data)) {
      texts.push_back({*text, list[i].position, item_key});
    } else {
      problem(list[i].position,
              fmt::format("`{}` has to be a string, and this is {}", item_key, list[i].type_name()),
              "put each item in quotes");
    }
  }
  return texts;
}

std::vector<Read<std::string>> TableReader::texts(std::string_view key, Presence presence) {
  const Table::Entry* entry = find(key, presence);
  if (entry == nullptr) return {};
  if (const auto* list = std::get_if<Array>(&entry->value.data)) {
    if (list->empty() && presence == Presence::Required) {
      problem(entry->value.position, fmt::format("`{}` is empty", dotted(key)));
    }
    return read_list(dotted(key), *list);
  }
  std::string example = "[\"...\", \"...\"]";
  if (const auto* text = std::get_if<std::string>(&entry->value.data)) example = as_list(*text);
  wrong_type(dotted(key), entry->value, kTexts, example);
  return {};
}

std::vector<Read<std::string>> TableReader::text_or_texts(std::string_view key) {
  const auto found = table_.entries.find(std::string(key));
  if (found != table_.entries.end() &&
      std::holds_alternative<std::string>(found->second.value.data)) {
    return {*text(key)};
  }
  return texts(key);
}

std::optional<TableReader> TableReader::table(std::string_view key) {
  const Table::Entry* entry = find(key, Presence::Optional);
  if (entry == nullptr) return std::nullopt;
  if (const auto* table = std::get_if<Table>(&entry->value.data)) {
    return TableReader(*table, entry->key_position, dotted(key), problems_);
  }
  problem(
      entry->value.position,
      fmt::format("`{}` has to be a table, and this is {}", dotted(key), entry->value.type_name()),
      fmt::format("write `[{}]` and its keys below it", dotted(key)));
  return std::nullopt;
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
  const Table::Entry* entry = find(key, Presence::Optional);
  if (entry == nullptr) return {};
  std::vector<TableReader> readers;
  const auto* list = std::get_if<Array>(&entry->value.data);
  bool all_tables = list != nullptr;
  for (std::size_t i = 0; all_tables && i < list->size(); ++i) {
    const auto* table = std::get_if<Table>(&(*list)[i].data);
    all_tables = table != nullptr;
    if (all_tables) {
      readers.emplace_back(*table, (*list)[i].position, fmt::format("{}[{}]", dotted(key), i),
                           problems_);
    }
  }
  if (all_tables) return readers;
  problem(entry->value.position, fmt::format("`{}` has to be a list of tables", dotted(key)),
          fmt::format("write `[[{}]]` and its keys below it", dotted(key)));
  return {};
}

std::vector<std::pair<std::string, TableReader>> TableReader::all_tables() {
  std::vector<std::pair<std::string, TableReader>> readers;
  for (const auto& [key, entry] : table_.entries) {
    if (auto reader = table(key)) readers.emplace_back(key, std::move(*reader));
  }
  return readers;
}

void TableReader::not_yet(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const Table::Entry* entry = find(key, Presence::Optional)) {
      problem(entry->key_position,
              fmt::format("`{}` is not supported yet by this version", dotted(key)),
              "take it out for now", ErrorKind::Unsupported);
    }
    known_.pop_back();  // never the answer to "did you mean"
    later_.emplace_back(key);
  }
}

void TableReader::refuse_the_rest(std::span<const std::string> elsewhere) {
  for (const auto& [key, entry] : table_.entries) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    if (std::find(later_.begin(), later_.end(), key) != later_.end()) continue;
    std::string hint = did_you_mean(find_nearest(key, known_));
    for (const std::string& name : elsewhere) {
      if (hint.empty() && name.ends_with("." + key)) {
        hint = fmt::format("it belongs in `[{}]`", name.substr(0, name.rfind('.')));
      }
    }
    if (hint.empty() && !known_.empty())
      hint = "the keys here are " + fmt::format("`{}`", fmt::join(known_, "`, `"));
    problem(entry.key_position, fmt::format("`{}` is not a known key", dotted(key)), hint);
  }
}

}  // namespace slipway::spec
