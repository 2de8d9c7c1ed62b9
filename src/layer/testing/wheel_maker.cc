#include "layer/testing/wheel_maker.h"

#include "base/file.h"
#include "layer/deflate_encoder.h"
#include "layer/inflate.h"
#include "layer/record_file.h"

namespace slipway::layer::testing {
namespace {

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> 8 * i));
}

struct Facts {
  std::string raw;
  std::uint32_t crc32;
  std::uint64_t size, compressed, offset;
};

Facts facts_of(const MadeMember& member, std::uint64_t offset) {
  Facts facts;
  if (member.raw) {
    facts.raw = *member.raw;
  } else if (member.method == 8) {
    DeflateEncoder encoder;
    encoder.write(as_bytes(member.text), facts.raw);
    encoder.finish(facts.raw);
  } else {
    facts.raw = member.text;
  }
  facts.crc32 = member.crc32.value_or(crc32(0, as_bytes(member.text)));
  facts.size = member.size_bytes.value_or(member.text.size());
  facts.compressed = member.compressed_bytes.value_or(facts.raw.size());
  facts.offset = member.offset.value_or(offset);
  return facts;
}

std::uint16_t flags_of(const MadeMember& member) {
  return static_cast<std::uint16_t>(member.flags | (member.descriptor != Descriptor::None ? 8 : 0));
}

void put_local(std::string& out, const MadeMember& member, const Facts& facts) {
  const std::string& name = member.local_name ? *member.local_name : member.name;
  const bool hides = member.descriptor != Descriptor::None;
  std::string extra = member.extra;
  if (member.zip64) {
    put(extra, 1, 2);
    put(extra, 16, 2);
    put(extra, hides ? 0 : facts.size, 8);
    put(extra, hides ? 0 : facts.compressed, 8);
  }
  put(out, 0x04034b50, 4);
  put(out, 45, 2);
  put(out, member.local_flags.value_or(flags_of(member)), 2);
  put(out, member.local_method.value_or(member.method), 2);
  put(out, 0, 4);
  put(out, member.local_crc32.value_or(hides ? 0 : facts.crc32), 4);
  put(out,
      member.zip64 ? 0xffffffff
                   : member.local_compressed.value_or(
                         static_cast<std::uint32_t>(hides ? 0 : facts.compressed)),
      4);
  put(out,
      member.zip64 ? 0xffffffff
                   : member.local_size.value_or(static_cast<std::uint32_t>(hides ? 0 : facts.size)),
      4);
  put(out, name.size(), 2);
  put(out, extra.size(), 2);
  out += name + extra;
}

void put_descriptor(std::string& out, const MadeMember& member, const Facts& facts) {
  const Descriptor kind = member.descriptor;
  if (kind == Descriptor::None) return;
  const int width = kind == Descriptor::Wide || kind == Descriptor::WideMarked ? 8 : 4;
  if (kind == Descriptor::Marked || kind == Descriptor::WideMarked) put(out, 0x08074b50, 4);
  put(out, member.descriptor_crc32.value_or(facts.crc32), 4);
  put(out, facts.compressed, width);
  put(out, facts.size, width);
}

void put_record(std::string& out, const MadeMember& member, const Facts& facts) {
  std::string extra;
  if (member.zip64) {
    put(extra, 1, 2);
    put(extra, 24, 2);
    for (const std::uint64_t value : {facts.size, facts.compressed, facts.offset})
      put(extra, value, 8);
  }
  const auto narrow = [&](std::uint64_t value) { return member.zip64 ? 0xffffffff : value; };
  put(out, 0x02014b50, 4);
  put(out, 0x032d, 2);
  put(out, 45, 2);
  put(out, flags_of(member), 2);
  put(out, member.method, 2);
  put(out, 0, 4);
  put(out, facts.crc32, 4);
  put(out, narrow(facts.compressed), 4);
  put(out, narrow(facts.size), 4);
  put(out, member.name.size(), 2);
  put(out, extra.size(), 2);
  put(out, 0, 6);
  put(out, 0, 2);
  put(out, member.unix_mode, 2);
  put(out, narrow(facts.offset), 4);
  out += member.name + extra;
}

void put_end(std::string& out, const MadeZip& zip, std::uint64_t directory) {
  const std::uint64_t size = out.size() - directory, records = out.size();
  const std::uint64_t count = zip.count.value_or(static_cast<std::uint16_t>(zip.members.size()));
  if (zip.zip64) {
    put(out, 0x06064b50, 4);
    put(out, 44, 8);
    put(out, 45, 4);
    put(out, 0, 8);
    for (const std::uint64_t value : {count, count, size, directory}) put(out, value, 8);
    put(out, 0x07064b50, 4);
    put(out, 0, 4);
    put(out, records, 8);
    put(out, 1, 4);
  }
  put(out, 0x06054b50, 4);
  put(out, 0, 4);
  for (int i = 0; i < 2; ++i) put(out, zip.zip64 ? 0xffff : count, 2);
  put(out, zip.zip64 ? 0xffffffff : size, 4);
  put(out, zip.zip64 ? 0xffffffff : directory, 4);
  put(out, zip.comment.size(), 2);
  out += zip.comment + zip.after;
}

}  // namespace

std::string make_zip(const MadeZip& zip) {
  std::string out = zip.before, records;
  for (const MadeMember& member : zip.members) {
    if (&member == &zip.members.back()) out += zip.between;
    const Facts facts = facts_of(member, out.size());
    put_local(out, member, facts);
    out += facts.raw;
    put_descriptor(out, member, facts);
    put_record(records, member, facts);
  }
  const std::uint64_t directory = out.size();
  out += records;
  put_end(out, zip, directory);
  return out;
}

MadeZip make_wheel(std::string_view name, std::string_view version, std::vector<MadeMember> members,
                   std::string_view entry_points) {
  const std::string info = fmt::format("{}-{}.dist-info/", name, version);
  const auto add = [&](std::string_view file, std::string text) {
    MadeMember member;
    member.name = info + std::string(file);
    member.text = std::move(text);
    members.push_back(std::move(member));
  };
  add("METADATA", fmt::format("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", name, version));
  add("WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
  if (!entry_points.empty()) add("entry_points.txt", std::string(entry_points));
  Record record;
  for (const MadeMember& member : members) {
    if (!member.name.ends_with('/')) record[member.name] = make_record_row(member.text);
  }
  record[info + "RECORD"] = {};
  add("RECORD", write_record(record));
  MadeZip zip;
  zip.members = std::move(members);
  return zip;
}

WheelInput write_wheel(const std::string& folder, std::string_view name, std::string_view version,
                       const std::string& bytes) {
  WheelInput input;
  input.name = name;
  input.version = version;
  input.path = fmt::format("{}/{}-{}-py3-none-any.whl", folder, name, version);
  input.sha256 = sha256(bytes);
  input.size_bytes = bytes.size();
  write_file(input.path, bytes).value();
  return input;
}

std::string made_text(unsigned seed, std::size_t size) {
  std::string text;
  std::uint64_t state = seed * 2654435761u + 12345;
  while (text.size() < size) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto pick = static_cast<unsigned>(state >> 40);
    if (pick % 5 == 0 && text.size() > 300) {
      text += text.substr(text.size() - 200 - pick % 97, 30);
    } else {
      text.push_back(static_cast<char>(' ' + pick % 80));
    }
  }
  text.resize(size);
  return text;
}

}  // namespace slipway::layer::testing
