#include <algorithm>
#include <array>

#include "base/error.h"
#include "sbom/licence.h"

namespace slipway::sbom {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

/// `GPL-2+`, `LGPL-2.1`, `GFDL-NIV-1.3+`: SPDX spells "this version" and "or later" out.
std::string gnu_licence(std::string_view name) {
  struct Family {
    std::string_view debian, spdx, middle;
  };
  static constexpr auto kFamilies = std::to_array<Family>({{"gpl-", "GPL-", ""},
                                                           {"lgpl-", "LGPL-", ""},
                                                           {"agpl-", "AGPL-", ""},
                                                           {"gfdl-niv-", "GFDL-", "-no-invariants"},
                                                           {"gfdl-", "GFDL-", ""}});
  for (const Family& family : kFamilies) {
    if (!name.starts_with(family.debian)) continue;
    std::string_view version = name.substr(family.debian.size());
    const bool is_open = version.ends_with('+');
    if (is_open) version.remove_suffix(1);
    const bool is_number =
        !version.empty() && version.find_first_not_of("0123456789.") == std::string_view::npos;
    if (!is_number) return {};
    const bool is_short = version.find('.') == std::string_view::npos;
    const auto id =
        find_licence_id(fmt::format("{}{}{}{}-{}", family.spdx, version, is_short ? ".0" : "",
                                    family.middle, is_open ? "or-later" : "only"));
    return id.value_or("");
  }
  return {};
}

/// A short name, as copyright-format 1.0 lists them; `.0` may be left out there.
std::string known_licence(std::string_view text) {
  const std::string name = lower(trimmed(text));
  if (name == "expat") return "MIT";
  // Debian's word for Perl's; there are three texts of it.
  if (name == "artistic") return {};
  const std::string gnu = gnu_licence(name);
  if (!gnu.empty()) return gnu;
  if (const auto id = find_licence_id(name)) return *id;
  const auto with_zero = find_licence_id(name + ".0");
  return with_zero.value_or("");
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  const std::string small = lower(text);
  std::size_t begin = 0;
  for (std::size_t at = 0; (at = small.find(separator, begin)) != std::string::npos;) {
    parts.push_back(trimmed(text.substr(begin, at - begin)));
    begin = at + separator.size();
  }
  parts.push_back(trimmed(text.substr(begin)));
  return parts;
}

class Reader {
 public:
  explicit Reader(const DebianLicenceWords& words) : words_(words) {}

  /// `and` binds more than `or`, and a comma before them less.
  Licence read(std::string_view name) const {
    // An exception, of which SPDX's list has others by name.
    if (lower(name).find(" with ") != std::string::npos) return as_named(name);
    std::vector<Licence> all;
    for (const std::string_view clause : split(name, ", and ")) {
      if (clause.find(',') != std::string_view::npos) return as_named(name);
      Licence choice;
      for (const std::string_view alternative : split(clause, " or ")) {
        std::vector<Licence> together;
        for (const std::string_view one : split(alternative, " and ")) {
          if (one.empty()) return as_named(name);
          const std::string id = known_licence(one);
          together.push_back(id.empty() ? as_named(one) : Licence{id, {}});
        }
        const Licence part = all_of(std::move(together));
        choice.expression += (choice.expression.empty() ? "" : " OR ") + part.expression;
        choice.texts.insert(part.texts.begin(), part.texts.end());
      }
      all.push_back(std::move(choice));
    }
    return all_of(std::move(all));
  }

 private:
  Licence as_named(std::string_view name) const {
    const auto text = words_.texts.find(std::string(name));
    return make_licence_ref(name, text == words_.texts.end() ? "" : text->second);
  }

  const DebianLicenceWords& words_;
};

}  // namespace

Licence licence_of_debian(const DebianLicenceWords& words) {
  const Reader reader(words);
  std::vector<Licence> all;
  for (const std::string& name : words.names) {
    if (!trimmed(name).empty()) all.push_back(reader.read(trimmed(name)));
  }
  return all_of(std::move(all));
}

}  // namespace slipway::sbom
