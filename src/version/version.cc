#include "version/version.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "version/text_reader.h"

namespace slipway::version {
namespace {

struct Spelling {
  std::string_view text;
  Phase phase;
};
// Longer spellings first, so that `alpha` is not read as `a`.
constexpr Spelling kPhases[] = {
    {"preview", Phase::Candidate},
    {"alpha", Phase::Alpha},
    {"beta", Phase::Beta},
    {"pre", Phase::Candidate},
    {"rc", Phase::Candidate},
    {"a", Phase::Alpha},
    {"b", Phase::Beta},
    {"c", Phase::Candidate},
};
constexpr std::string_view kPhaseTexts[] = {"a", "b", "rc"};
constexpr std::string_view kPostWords[] = {"post", "rev", "r"};

bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }

std::size_t significant_segments(const std::vector<std::uint64_t>& release) {
  std::size_t count = release.size();
  while (count > 1 && release[count - 1] == 0) --count;
  return count;
}

// A release without pre-release part stands after its pre-releases; one with nothing but `.devN`
// before them.
int pre_rank(const Version& version) {
  if (version.pre()) return 0;
  return version.dev() && !version.post() ? -1 : 1;
}

// Numbers stand after words, and compare by value: they have no leading zeros here.
std::strong_ordering compare_segments(const std::string& a, const std::string& b) {
  const bool a_is_number = std::all_of(a.begin(), a.end(), is_digit);
  const bool b_is_number = std::all_of(b.begin(), b.end(), is_digit);
  if (a_is_number != b_is_number) return a_is_number <=> b_is_number;
  if (a_is_number && a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

std::strong_ordering compare_locals(const std::vector<std::string>& a,
                                    const std::vector<std::string>& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const auto order = compare_segments(a[i], b[i]);
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

}  // namespace

/// Reads the pieces in their order; each piece takes as much as it can.
class VersionParser {
 public:
  explicit VersionParser(std::string_view text) : reader_(text) {}

  bool parse(Version& version) {
    reader_.skip_word("v");
    if (!number(version.epoch_)) return false;
    if (reader_.skip('!')) {
      version.release_.emplace_back();
      if (!number(version.release_.back())) return false;
    } else {
      version.release_.push_back(std::exchange(version.epoch_, 0));
    }
    while (reader_.peek() == '.' && is_digit(reader_.peek(1))) {
      reader_.skip('.');
      version.release_.emplace_back();
      if (!number(version.release_.back())) return false;
    }
    return pre(version) && post(version) && dev(version) && local(version) && reader_.at_end();
  }

 private:
  bool number(std::uint64_t& value) {
    const std::string_view digits = reader_.take_while(is_digit);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return !digits.empty() && error == std::errc() && end == digits.data() + digits.size();
  }

  // The number behind a word; a separator may stand between, and none at all means 0.
  bool number_after_word(std::uint64_t& value) {
    if (is_separator(reader_.peek())) reader_.skip(reader_.peek());
    return !is_digit(reader_.peek()) || number(value);
  }

  bool skip_separated_word(std::string_view word) {
    const TextReader start = reader_;
    if (is_separator(reader_.peek())) reader_.skip(reader_.peek());
    if (reader_.skip_word(word)) return true;
    reader_ = start;
    return false;
  }

  bool pre(Version& version) {
    for (const Spelling& spelling : kPhases) {
      if (!skip_separated_word(spelling.text)) continue;
      version.pre_ = PreRelease{spelling.phase, 0};
      return number_after_word(version.pre_->number);
    }
    return true;
  }

  bool post(Version& version) {
    if (reader_.peek() == '-' && is_digit(reader_.peek(1))) {
      reader_.skip('-');
      version.post_ = 0;
      return number(*version.post_);
    }
    for (const std::string_view word : kPostWords) {
      if (!skip_separated_word(word)) continue;
      version.post_ = 0;
      return number_after_word(*version.post_);
    }
    return true;
  }

  bool dev(Version& version) {
    if (!skip_separated_word("dev")) return true;
    version.dev_ = 0;
    return number_after_word(*version.dev_);
  }

  bool local(Version& version) {
    if (!reader_.skip('+')) return true;
    do {
      std::string segment(reader_.take_while(is_letter_or_digit));
      if (segment.empty()) return false;
      std::transform(segment.begin(), segment.end(), segment.begin(), to_lower);
      if (std::all_of(segment.begin(), segment.end(), is_digit)) {
        segment.erase(0, std::min(segment.find_first_not_of('0'), segment.size() - 1));
      }
      version.local_.push_back(std::move(segment));
    } while (is_separator(reader_.peek()) && reader_.skip(reader_.peek()));
    return true;
  }

  TextReader reader_;
};

Result<Version> Version::parse(std::string_view text) {
  Version version;
  const std::string_view trimmed = trim(text);
  if (trimmed.size() > kLongestVersion || !VersionParser(trimmed).parse(version)) {
    return make_error(ErrorKind::InvalidInput, "`{}` is not a version", excerpt(text));
  }
  return version;
}

std::string Version::public_text() const {
  std::string text = epoch_ == 0 ? "" : fmt::format("{}!", epoch_);
  text += fmt::format("{}", fmt::join(release_, "."));
  if (pre_) {
    text += fmt::format("{}{}", kPhaseTexts[static_cast<std::size_t>(pre_->phase)], pre_->number);
  }
  if (post_) text += fmt::format(".post{}", *post_);
  if (dev_) text += fmt::format(".dev{}", *dev_);
  return text;
}

std::string Version::text() const {
  return local_.empty() ? public_text()
                        : fmt::format("{}+{}", public_text(), fmt::join(local_, "."));
}

std::string Version::series() const {
  return fmt::format("{}.{}", release_[0], release_.size() > 1 ? release_[1] : 0);
}

Version Version::without_local() const {
  Version copy = *this;
  copy.local_.clear();
  return copy;
}

Version Version::base() const {
  Version copy;
  copy.epoch_ = epoch_;
  copy.release_ = release_;
  return copy;
}

Version Version::first_dev() const {
  Version copy = without_local();
  copy.dev_ = 0;
  return copy;
}

std::strong_ordering Version::operator<=>(const Version& other) const {
  if (const auto order = epoch_ <=> other.epoch_; order != 0) return order;
  const auto a_end = release_.begin() + static_cast<std::ptrdiff_t>(significant_segments(release_));
  const auto b_end =
      other.release_.begin() + static_cast<std::ptrdiff_t>(significant_segments(other.release_));
  if (const auto order = std::lexicographical_compare_three_way(release_.begin(), a_end,
                                                                other.release_.begin(), b_end);
      order != 0) {
    return order;
  }
  if (const auto order = pre_rank(*this) <=> pre_rank(other); order != 0) return order;
  if (const auto order = pre_ <=> other.pre_; order != 0) return order;
  if (const auto order = post_ <=> other.post_; order != 0) return order;  // none is before all
  if (dev_.has_value() != other.dev_.has_value()) {
    return dev_ ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (const auto order = dev_ <=> other.dev_; order != 0) return order;
  return compare_locals(local_, other.local_);
}

}  // namespace slipway::version
