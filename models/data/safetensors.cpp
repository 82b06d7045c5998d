#include "gradus/models/data/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "gradus/framework/graph/error.hpp"
#include "gradus/models/data/atomic_file.hpp"

namespace gradus {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

namespace {

using Json = nlohmann::json;

struct TypeRow {
  std::string_view name;
  std::size_t bytes;
};
// In the order of ElementType.
constexpr std::array<TypeRow, 13> types{{{"BOOL", 1},
                                         {"U8", 1},
                                         {"I8", 1},
                                         {"U16", 2},
                                         {"I16", 2},
                                         {"F16", 2},
                                         {"BF16", 2},
                                         {"U32", 4},
                                         {"I32", 4},
                                         {"F32", 4},
                                         {"U64", 8},
                                         {"I64", 8},
                                         {"F64", 8}}};

constexpr std::size_t length_bytes = 8;
constexpr std::string_view metadata_key = "__metadata__";
constexpr std::string_view damaged = "the file is damaged or no safetensors file; get or write it again";

// The bytes of a tensor; nothing when they cannot be counted.
std::optional<std::uint64_t> byte_count(const Extents& extents, ElementType type) {
  std::uint64_t count = bytes_of(type);
  for (const std::int64_t extent : extents)
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(extent), &count)) return std::nullopt;
  return count;
}

std::vector<std::byte> read_whole(const std::filesystem::path& path) {
  const auto fail = [&](std::string_view why) {
    throw Error(fmt::format("tensor file '{}': {}", path.string(), why));
  };
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) fail("there is no such file; check the path");
  if (!std::filesystem::is_regular_file(status)) fail("expected a regular file; name the file itself");
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) fail(fmt::format("it cannot be read: {}", std::strerror(errno)));
  std::vector<std::byte> contents(size);
  file.read(reinterpret_cast<char*>(contents.data()), static_cast<std::streamsize>(size));
  if (static_cast<std::uintmax_t>(file.gcount()) != size) fail("reading it failed");
  return contents;
}

// Refuses keys that occur twice in one object, which JSON parsers let pass.
class UniqueKeys {
 public:
  bool operator()(int, Json::parse_event_t event, const Json& value) {
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.back().insert(value.get<std::string>()).second)
      throw Error(fmt::format("the name '{}' is given twice", value.get<std::string>()));
    return true;
  }

 private:
  std::vector<std::set<std::string>> open_;
};

std::uint64_t whole_number(const Json& value) {
  if (!value.is_number_unsigned()) throw Error("extents and offsets must be whole numbers, not negative");
  return value.get<std::uint64_t>();
}

struct Entry {
  TensorBytes tensor;
  std::uint64_t begin;
  std::uint64_t end;
};

// What the header says of one tensor; Error with the reason alone.
Entry entry_of(const std::string& name, const Json& value, std::uint64_t data_bytes) {
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets"))
    throw Error("expected an object of dtype, shape and data_offsets");
  const Json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
  if (!dtype.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2)
    throw Error("expected a text as dtype, a list as shape and two numbers as data_offsets");
  const auto* const type = std::ranges::find(types, dtype.get<std::string>(), &TypeRow::name);
  if (type == types.end()) throw Error(fmt::format("there is no dtype '{}'", dtype.get<std::string>()));
  Entry entry{{name, static_cast<ElementType>(type - types.begin()), {}, {}},
              whole_number(offsets[0]),
              whole_number(offsets[1])};
  for (const Json& extent : shape) {
    const std::uint64_t number = whole_number(extent);
    if (!std::in_range<std::int64_t>(number)) throw Error("an extent is 2^63 or more");
    entry.tensor.extents.push_back(static_cast<std::int64_t>(number));
  }
  if (entry.begin > entry.end || entry.end > data_bytes)
    throw Error(fmt::format("its bytes {} to {} are not within the {} that follow the header", entry.begin,
                            entry.end, data_bytes));
  const auto wanted = byte_count(entry.tensor.extents, entry.tensor.type);
  if (wanted != entry.end - entry.begin)
    throw Error(fmt::format("{} {} does not fit its {} bytes", name_of(entry.tensor.type),
                            to_string(entry.tensor.extents), entry.end - entry.begin));
  return entry;
}

template <class T>
TensorBytes bytes_of_values(std::string name, ElementType type, Extents extents, std::span<const T> values) {
  return {std::move(name), type, std::move(extents), std::as_bytes(values)};
}

}  // namespace

std::string_view name_of(ElementType type) { return types[static_cast<std::size_t>(type)].name; }
std::size_t bytes_of(ElementType type) { return types[static_cast<std::size_t>(type)].bytes; }

TensorBytes tensor_bytes(std::string name, Extents extents, std::span<const float> values) {
  return bytes_of_values(std::move(name), ElementType::f32, std::move(extents), values);
}
TensorBytes tensor_bytes(std::string name, Extents extents, std::span<const double> values) {
  return bytes_of_values(std::move(name), ElementType::f64, std::move(extents), values);
}

TensorFile::TensorFile(const std::filesystem::path& path) : path_(path), contents_(read_whole(path)) {
  parse();
}

void TensorFile::fail(std::string_view place, std::string_view what) const {
  throw Error(fmt::format("tensor file '{}', {}: {}; {}", path_.string(), place, what, damaged));
}

void TensorFile::parse() {
  if (contents_.size() < length_bytes)
    fail("byte 0", fmt::format("expected 8 bytes of header length, found {} in all", contents_.size()));
  std::uint64_t length = 0;
  std::memcpy(&length, contents_.data(), length_bytes);
  if (length > contents_.size() - length_bytes)
    fail("byte 0", fmt::format("the header is to have {} bytes, but the file has {} after its first 8",
                               length, contents_.size() - length_bytes));
  const auto* text = reinterpret_cast<const char*>(contents_.data()) + length_bytes;
  const std::uint64_t start = length_bytes + length;
  const std::uint64_t data_bytes = contents_.size() - start;
  Json header;
  try {
    header = Json::parse(text, text + length, UniqueKeys());
  } catch (const std::exception& error) {
    fail("header", error.what());
  }
  if (!header.is_object()) fail("header", "expected a JSON object");

  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == metadata_key) {
      if (!value.is_object()) fail(metadata_key, "expected a JSON object");
      for (const auto& [key, entry] : value.items()) {
        if (!entry.is_string()) fail(metadata_key, fmt::format("'{}' is no text", key));
        metadata_[key] = entry.get<std::string>();
      }
      continue;
    }
    try {
      entries.push_back(entry_of(name, value, data_bytes));
    } catch (const Error& error) {
      fail(fmt::format("tensor '{}'", name), error.what());
    }
  }
  std::ranges::stable_sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  std::uint64_t next = 0;
  for (Entry& entry : entries) {
    if (entry.begin != next)
      fail(fmt::format("tensor '{}'", entry.tensor.name),
           fmt::format("its bytes begin at {}, but those before end at {}", entry.begin, next));
    next = entry.end;
    entry.tensor.bytes = std::span(contents_).subspan(start + entry.begin, entry.end - entry.begin);
    tensors_.push_back(std::move(entry.tensor));
  }
  if (next != data_bytes)
    fail(fmt::format("byte {}", start + next),
         fmt::format("{} bytes belong to no tensor", data_bytes - next));
}

const TensorBytes* TensorFile::find(std::string_view name) const {
  const auto found = std::ranges::find(tensors_, name, &TensorBytes::name);
  return found == tensors_.end() ? nullptr : &*found;
}

const TensorBytes& TensorFile::at(std::string_view name) const {
  if (const TensorBytes* tensor = find(name)) return *tensor;
  throw Error(fmt::format("tensor file '{}': there is no tensor '{}' in it", path_.string(), name));
}

std::vector<double> TensorFile::values(std::string_view name) const {
  const TensorBytes& tensor = at(name);
  std::vector<double> values(tensor.bytes.size() / bytes_of(tensor.type));
  if (tensor.type == ElementType::f64) {
    if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  } else if (tensor.type == ElementType::f32) {
    std::vector<float> singles(values.size());
    if (!singles.empty()) std::memcpy(singles.data(), tensor.bytes.data(), tensor.bytes.size());
    std::ranges::copy(singles, values.begin());
  } else {
    throw Error(fmt::format("tensor file '{}': tensor '{}' is {}, expected F32 or F64", path_.string(), name,
                            name_of(tensor.type)));
  }
  return values;
}

void write_tensors(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                   const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header[std::string(metadata_key)] = metadata;
  std::uint64_t offset = 0;
  std::vector<std::string_view> pieces(2);
  for (const TensorBytes& tensor : tensors) {
    if (tensor.name == metadata_key || header.contains(tensor.name))
      throw Error(fmt::format("{}: the tensor name '{}' is taken", path.string(), tensor.name));
    if (byte_count(tensor.extents, tensor.type) != tensor.bytes.size())
      throw Error(fmt::format("{}: tensor '{}': {} {} does not fit its {} bytes", path.string(), tensor.name,
                              name_of(tensor.type), to_string(tensor.extents), tensor.bytes.size()));
    header[tensor.name] = {{"dtype", name_of(tensor.type)},
                           {"shape", tensor.extents},
                           {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
    pieces.emplace_back(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::type_error&) {
    throw Error(fmt::format("{}: a name or an entry of the metadata is no UTF-8 text", path.string()));
  }
  // Spaces up to a multiple of 8 keep the tensors aligned.
  text.resize((text.size() + length_bytes - 1) / length_bytes * length_bytes, ' ');
  const std::uint64_t length = text.size();
  std::string prefix(length_bytes, '\0');
  std::memcpy(prefix.data(), &length, length_bytes);
  pieces[0] = prefix;
  pieces[1] = text;
  write_atomically(path, pieces);
}

}  // namespace gradus
