#include "gradus/data/tensor_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/data/file_contents.hpp"
#include "gradus/data/npz.hpp"
#include "gradus/data/safetensors.hpp"
#include "models/data/bounded_json.hpp"
#include "models/data/file_kind.hpp"
#include "models/data/json.hpp"

namespace gradus {

namespace {

using Metadata = std::map<std::string, std::string>;

Metadata metadata_of(const TensorBytes& array, const std::filesystem::path& path) {
  const auto* const text = reinterpret_cast<const char*>(array.bytes.data());
  try {
    return parsed_json({text, array.bytes.size()}).get<Metadata>();
  } catch (const std::bad_alloc&) {
    throw;  // which says nothing of the file
  } catch (const std::exception& error) {
    throw Error(
        fmt::format("NPZ file '{}', entry '{}.npy': it is no JSON object of texts ({}); give an array "
                    "of yours another name",
                    path.string(), metadata_key, error.what()));
  }
}

void write_npz_tensors(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                       const Metadata& metadata) {
  std::vector<TensorBytes> all(tensors.begin(), tensors.end());
  std::string text;
  if (!metadata.empty()) {
    text = metadata_text(path, metadata);
    all.push_back({std::string(metadata_key),
                   ElementType::u8,
                   {static_cast<std::int64_t>(text.size())},
                   std::as_bytes(std::span(text))});
  }
  write_npz(path, all);
}

}  // namespace

TensorFile::TensorFile(const std::filesystem::path& path) : path_(path) {
  const auto file = std::make_shared<FileContents>(path, "tensor file");
  owners_.push_back(file);
  parse(file->bytes());
}
TensorFile::TensorFile(std::string_view bytes, std::filesystem::path path) : path_(std::move(path)) {
  parse(bytes);
}

void TensorFile::parse(std::string_view bytes) {
  if (kind_of(bytes) == FileKind::npy)
    throw Error(
        fmt::format("tensor file '{}': it holds one array without a name; write arrays with np.savez, or "
                    "safetensors",
                    path_.string()));
  if (kind_of(bytes) == FileKind::npz)
    parse_arrays(bytes);
  else
    parse_tensors(bytes);
  for (const TensorBytes& tensor : tensors_) by_name_.add(tensor.name);
}

void TensorFile::parse_tensors(std::string_view bytes) {
  // A length may begin as another format does, but then a { follows it.
  constexpr std::size_t length_bytes = 8;
  const bool has_header = bytes.size() > length_bytes && bytes[length_bytes] == '{';
  if (const std::string_view why = foreign_kind(bytes); !why.empty() && !has_header)
    throw Error(fmt::format("tensor file '{}': {}", path_.string(), why));
  SafetensorsContents contents = parse_safetensors(bytes, path_);
  tensors_ = std::move(contents.tensors);
  metadata_ = std::move(contents.metadata);
  for (const auto& [name, why] : contents.unsupported)
    unreadable_[name] = fmt::format("tensor file '{}', tensor '{}': {}", path_.string(), name, why);
}

void TensorFile::parse_arrays(std::string_view bytes) {
  const NpzFile file(bytes, path_);
  for (const std::string& name : file.names()) {
    Array array;
    try {
      array = file.read(name);
    } catch (const Error& error) {
      if (name == metadata_key) throw;
      unreadable_[name] = error.what();
      continue;
    }
    if (name == metadata_key) {
      metadata_ = metadata_of(array.tensor, path_);
      continue;
    }
    tensors_.push_back(std::move(array.tensor));
    owners_.push_back(std::move(array.owner));
  }
}

const TensorBytes* TensorFile::find(std::string_view name) const {
  const auto place = by_name_.find(name);
  return place ? &tensors_[*place] : nullptr;
}

void TensorFile::require_readable(std::string_view name) const {
  if (const auto found = unreadable_.find(name); found != unreadable_.end()) throw Error(found->second);
}

const TensorBytes& TensorFile::at(std::string_view name) const {
  require_readable(name);
  if (const TensorBytes* tensor = find(name)) return *tensor;
  std::string all;
  for (const TensorBytes& tensor : tensors_) all += (all.empty() ? "" : ", ") + tensor.name;
  throw Error(fmt::format("tensor file '{}': there is no tensor '{}' in it; there are: {}", path_.string(),
                          name, all.empty() ? "none" : all));
}

std::vector<double> TensorFile::values(std::string_view name) const {
  const TensorBytes& tensor = at(name);
  if (!is_floating(tensor.type))
    throw Error(fmt::format("tensor file '{}': tensor '{}' is {}, expected floating-point numbers",
                            path_.string(), name, name_of(tensor.type)));
  std::vector<double> values(tensor.count());
  convert(tensor, 0, values);
  return values;
}

void write_tensors(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                   const Metadata& metadata) {
  if (path.extension() == ".npz")
    write_npz_tensors(path, tensors, metadata);
  else
    write_safetensors(path, tensors, metadata);
}

}  // namespace gradus
