#include "cli/diff_text.h"

#include <algorithm>

#include "base/size_text.h"
#include "cli/plain_text.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kShownFiles = 12;
constexpr std::size_t kWidestCell = 60;
constexpr std::size_t kWidestValue = 50;

using Look = layer::FileLook;

enum class Sign { Added, Removed, Changed };

Sign sign_of(bool was_there, bool is_there) {
  return !was_there ? Sign::Added : !is_there ? Sign::Removed : Sign::Changed;
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, columns_of(text)), ' ');
}

/// A heading, and rows of a sign and some cells, which stand in columns.
class Section {
 public:
  Section(std::string_view heading, Colour colour) : heading_(heading), colour_(colour) {}

  void add(Sign sign, std::vector<std::string> cells) { rows_.push_back({sign, std::move(cells)}); }
  void end_with(std::string line) { last_ = std::move(line); }

  std::string text() const {
    if (rows_.empty() && last_.empty()) return {};
    std::vector<std::size_t> widths;
    for (const Row& row : rows_) {
      widths.resize(std::max(widths.size(), row.cells.size()));
      for (std::size_t i = 0; i < row.cells.size(); ++i)
        widths[i] = std::max(widths[i], std::min(kWidestCell, columns_of(row.cells[i])));
    }
    std::string out = fmt::format("\n{}\n", heading_);
    for (const Row& row : rows_) {
      std::string line = "  " + sign_text(row.sign);
      for (std::size_t i = 0; i < row.cells.size(); ++i)
        line += " " + padded(row.cells[i], widths[i]) + " ";
      while (line.ends_with(' ')) line.pop_back();
      out += line + "\n";
    }
    if (!last_.empty()) out += "  " + last_ + "\n";
    return out;
  }

 private:
  struct Row {
    Sign sign;
    std::vector<std::string> cells;
  };

  std::string sign_text(Sign sign) const {
    const char* const word = sign == Sign::Added ? "+" : sign == Sign::Removed ? "-" : "~";
    if (colour_ == Colour::No) return word;
    const char* const code = sign == Sign::Added ? "32" : sign == Sign::Removed ? "31" : "33";
    return fmt::format("\x1b[{}m{}\x1b[0m", code, word);
  }

  std::string heading_;
  Colour colour_;
  std::vector<Row> rows_;
  std::string last_;
};

std::string more_text(std::int64_t bytes) {
  if (bytes == 0) return {};
  const auto size = static_cast<std::uint64_t>(bytes < 0 ? -bytes : bytes);
  return (bytes < 0 ? "-" : "+") + size_text(size);
}

std::string count_text(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string package_section(const plan::ImageDiff& diff, plan::PackageKind kind,
                            std::string_view heading, Colour colour) {
  Section section(heading, colour);
  for (const plan::PackageDiff& package : diff.packages) {
    if (package.kind != kind) continue;
    const bool was_there = !package.before.empty(), is_there = !package.after.empty();
    const bool has_other_version = package.before != package.after;
    std::string versions = was_there ? package.before : package.after;
    if (was_there && is_there && has_other_version) versions += " -> " + package.after;
    const std::string remark =
        has_other_version ? "" : count_text(package.files.all(), "file") + " of the same version";
    section.add(sign_of(was_there || !has_other_version, is_there || !has_other_version),
                {plain_text(package.name), plain_text(versions),
                 more_text(package.files.more_bytes), remark});
  }
  return section.text();
}

std::string code_section(const plan::ImageDiff& diff, Colour colour) {
  Section section("machine code for GPUs", colour);
  for (const plan::CodeDiff& code : diff.code) {
    const std::string who = code.package.empty() ? "the image" : code.package;
    if (!code.gained.empty())
      section.add(Sign::Added, {plain_text(who), fmt::format("{}", fmt::join(code.gained, " "))});
    if (!code.lost.empty())
      section.add(Sign::Removed, {plain_text(who), fmt::format("{}", fmt::join(code.lost, " "))});
  }
  return section.text();
}

std::string value_text(const std::string& value) {
  return value.empty() ? "(none)" : cut_to(plain_text(value), kWidestValue);
}

std::string config_section(const plan::ImageDiff& diff, Colour colour) {
  Section section("configuration", colour);
  for (const plan::ConfigDiff& one : diff.config) {
    std::string value = one.is_there ? one.after : one.before;
    value = value.empty() ? value : value_text(value);
    if (one.was_there && one.is_there)
      value = value_text(one.before) + " -> " + value_text(one.after);
    section.add(sign_of(one.was_there, one.is_there), {plain_text(one.field), value});
  }
  return section.text();
}

bool is_folder(const std::optional<Look>& look) {
  return !look || look->kind == Look::Kind::Folder;
}

std::string look_text(const Look& look) {
  if (look.kind == Look::Kind::Folder) return "folder";
  if (look.kind == Look::Kind::Link) return "link to " + plain_text(look.target);
  return look.kind == Look::Kind::File ? size_text(look.size_bytes) : "special";
}

/// What is worth telling of two looks: the size where it differs, else what does.
std::string change_text(const layer::PathChange& change) {
  if (!change.before || !change.after)
    return look_text(change.before ? *change.before : *change.after);
  const Look &one = *change.before, &other = *change.after;
  if (look_text(one) != look_text(other)) return look_text(one) + " -> " + look_text(other);
  std::string text = look_text(other);
  if (one.mode != other.mode) text += fmt::format(", mode {:o} -> {:o}", one.mode, other.mode);
  if (one.uid != other.uid || one.gid != other.gid)
    text += fmt::format(", owner {}:{} -> {}:{}", one.uid, one.gid, other.uid, other.gid);
  return text;
}

std::string file_section(const plan::ImageDiff& diff, ShowFiles files, Colour colour) {
  Section section(files == ShowFiles::All ? "files" : "files of no package", colour);
  std::size_t shown = 0, left_out = 0;
  for (const plan::FileDiff& file : diff.files) {
    const layer::PathChange& change = file.change;
    // A folder that comes or goes with its files says nothing more.
    const bool is_told =
        is_folder(change.before) && is_folder(change.after) && (!change.before || !change.after);
    if (files == ShowFiles::Some && (is_told || !file.owner.empty())) continue;
    if (files == ShowFiles::Some && shown == kShownFiles) {
      ++left_out;
      continue;
    }
    ++shown;
    section.add(sign_of(change.before.has_value(), change.after.has_value()),
                {plain_text(change.path), change_text(change), plain_text(file.owner)});
  }
  if (left_out > 0) section.end_with(fmt::format("and {} more (--files shows all)", left_out));
  return section.text();
}

std::string grown_text(std::uint64_t before, std::uint64_t after) {
  if (before == after) return fmt::format("{}, as before", size_text(after));
  const auto more = static_cast<std::int64_t>(after) - static_cast<std::int64_t>(before);
  return fmt::format("{} -> {} ({})", size_text(before), size_text(after), more_text(more));
}

std::string size_section(const plan::ImageDiff& diff) {
  std::string pull = "nothing: every layer is shared";
  if (diff.pulled_layers > 0) {
    pull = fmt::format("{} in {}; {} ({}) shared", size_text(diff.pulled_bytes),
                       count_text(diff.pulled_layers, "layer"),
                       count_text(diff.shared_layers, "layer"), size_text(diff.shared_bytes));
  }
  return fmt::format("\nsize\n  compressed  {}\n  unpacked    {}\n  to pull     {}\n",
                     grown_text(diff.before.compressed_bytes, diff.after.compressed_bytes),
                     grown_text(diff.before.unpacked_bytes, diff.after.unpacked_bytes), pull);
}

}  // namespace

std::string diff_page(const plan::ImageDiff& diff, ShowFiles files, Colour colour) {
  const auto title = [](const plan::DiffSide& side) {
    return fmt::format("{} ({})", side.reference, side.digest.hex().substr(0, 12));
  };
  if (diff.before.digest == diff.after.digest) {
    return diff.before.reference == diff.after.reference
               ? fmt::format("{}: the same image\n", title(diff.after))
               : fmt::format("{} and {}: the same image\n", diff.before.reference,
                             title(diff.after));
  }
  std::string page = fmt::format("{} -> {}\n", title(diff.before), title(diff.after));
  if (diff.is_empty()) page += "\nno file and no setting differs\n";
  page += package_section(diff, plan::PackageKind::Python, "Python packages", colour);
  page += package_section(diff, plan::PackageKind::Debian, "Debian packages", colour);
  page += code_section(diff, colour);
  page += config_section(diff, colour);
  page += file_section(diff, files, colour);
  return page + size_section(diff);
}

}  // namespace slipway::cli
