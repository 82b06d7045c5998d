#include "gradus/data/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/data/atomic_file.hpp"
#include "models/data/bounded_json.hpp"
#include "models/data/whole_number.hpp"

namespace gradus {

namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::string_view damaged_tensors =
    "the file is damaged or no safetensors file; get or write it again";

std::string text_of(const Json& json, const std::filesystem::path& path) {
  try {
    return json_text(json);
  } catch (const Json::type_error&) {
    throw Error(fmt::format("{}: a name or an entry of the metadata is no UTF-8 text", path.string()));
  }
}

struct Entry {
  TensorBytes tensor;
  std::string unsupported;  // the type, when there is none such here
  std::uint64_t begin;
  std::uint64_t end;
};

// Whether a text is spelled as a type of the format, as F8_E4M3 and C64 are: what it holds, bits, and a
// variant.
bool is_type(std::string_view text) {
  const std::size_t letters = std::min(text.find_first_of("0123456789"), text.size());
  const std::size_t digits = std::min(text.find_first_not_of("0123456789", letters), text.size());
  constexpr std::array<std::string_view, 5> kinds{"F", "BF", "C", "I", "U"};
  constexpr std::array<std::string_view, 10> bits{"1", "2", "3", "4", "6", "8", "16", "32", "64", "128"};
  const std::string_view variant = text.substr(digits);
  return std::ranges::find(kinds, text.substr(0, letters)) != kinds.end() &&
         std::ranges::find(bits, text.substr(letters, digits - letters)) != bits.end() &&
         (variant.empty() || variant.starts_with('_'));
}

// Parses the header entry of one tensor. Error, which gives only the reason, for a malformed one.
Entry entry_of(const std::string& name, const Json& value, std::uint64_t data_bytes) {
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets"))
    throw Error("expected an object of dtype, shape and data_offsets");
  const Json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
  if (!dtype.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2)
    throw Error("expected a text as dtype, a list as shape and two numbers as data_offsets");
  const auto type = element_type_named(dtype.get<std::string>());
  if (!type && !is_type(dtype.get<std::string>()))
    throw Error(fmt::format("there is no dtype '{}'", dtype.get<std::string>()));
  Entry entry{{name, type.value_or(ElementType::u8), {}, {}},
              type ? std::string() : dtype.get<std::string>(),
              whole_number<std::uint64_t>(offsets[0], 0),
              whole_number<std::uint64_t>(offsets[1], 0)};
  for (const Json& extent : shape) entry.tensor.extents.push_back(whole_number<std::int64_t>(extent, 0));
  if (entry.begin > entry.end || entry.end > data_bytes)
    throw Error(fmt::format("its bytes {} to {} are not within the {} that follow the header", entry.begin,
                            entry.end, data_bytes));
  if (!type) return entry;
  const auto wanted = byte_count(entry.tensor.extents, entry.tensor.type);
  if (wanted != entry.end - entry.begin)
    throw Error(fmt::format("{} {} does not fit its {} bytes", name_of(entry.tensor.type),
                            to_string(entry.tensor.extents), entry.end - entry.begin));
  return entry;
}

}  // namespace

SafetensorsContents parse_safetensors(std::string_view contents, const std::filesystem::path& path) {
  const auto fail = [&](std::string_view place, std::string_view what) {
    throw Error(fmt::format("tensor file '{}', {}: {}; {}", path.string(), place, what, damaged_tensors));
  };
  auto found = SafetensorsContents{};
  if (contents.size() < length_bytes)
    fail("byte 0", fmt::format("expected 8 bytes of header length, found {} in all", contents.size()));
  std::uint64_t length = 0;
  std::memcpy(&length, contents.data(), length_bytes);
  if (length > contents.size() - length_bytes)
    fail("byte 0", fmt::format("the header is to have {} bytes, but the file has {} after its first 8",
                               length, contents.size() - length_bytes));
  const char* const text = contents.data() + length_bytes;
  const std::uint64_t start = length_bytes + length;
  const std::uint64_t data_bytes = contents.size() - start;
  Json header;
  try {
    header = parsed_json({text, length});
  } catch (const std::bad_alloc&) {
    throw;  // which says nothing of the file
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
        found.metadata[key] = entry.get<std::string>();
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
    if (!entry.unsupported.empty()) {
      found.unsupported[entry.tensor.name] =
          fmt::format("it is of type {}, which is not supported; convert it to F32", entry.unsupported);
      continue;
    }
    entry.tensor.bytes =
        std::as_bytes(std::span(contents)).subspan(start + entry.begin, entry.end - entry.begin);
    found.tensors.push_back(std::move(entry.tensor));
  }
  if (next != data_bytes)
    fail(fmt::format("byte {}", start + next),
         fmt::format("{} bytes belong to no tensor", data_bytes - next));
  return found;
}

std::string metadata_text(const std::filesystem::path& path,
                          const std::map<std::string, std::string>& metadata) {
  return text_of(Json(metadata), path);
}

std::string safetensors_header(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                               const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header[std::string(metadata_key)] = metadata;
  std::uint64_t offset = 0;
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
  }
  std::string text = text_of(header, path);
  // Spaces up to a multiple of 8 keep the tensors aligned.
  text.resize((text.size() + length_bytes - 1) / length_bytes * length_bytes, ' ');
  const std::uint64_t length = text.size();
  std::string prefix(length_bytes, '\0');
  std::memcpy(prefix.data(), &length, length_bytes);
  return prefix + text;
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string header = safetensors_header(path, tensors, metadata);
  std::vector<std::string_view> pieces{header};
  for (const TensorBytes& tensor : tensors)
    pieces.emplace_back(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  write_atomically(path, pieces);
}

}  // namespace gradus
