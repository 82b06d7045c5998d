#include "gradus/data/npz.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "framework/base/aligned.hpp"
#include "gradus/base/error.hpp"
#include "gradus/data/atomic_file.hpp"
#include "gradus/data/npy.hpp"
#include "gradus/data/zip_reader.hpp"
#include "gradus/data/zip_writer.hpp"
#include "models/data/file_kind.hpp"

namespace gradus {

namespace {

constexpr std::string_view suffix = ".npy";

struct Buffer {
  std::unique_ptr<std::byte[]> bytes;
};

// An entry that must be unpacked: first its header, so that what it claims is known before memory is taken.
Array unpacked(const ZipEntry& entry, const std::string& archive, const std::string& place) {
  ZipStream stream(entry, archive);
  std::vector<std::byte> front(std::min<std::uint64_t>(entry.size, npy_header_limit));
  stream.read(front);
  const std::string_view text(reinterpret_cast<const char*>(front.data()), front.size());
  NpyHeader header = parse_npy_header(text, entry.size, place);
  require_memory(header.data_size);
  auto buffer = std::make_shared<Buffer>();
  buffer->bytes = std::make_unique_for_overwrite<std::byte[]>(header.data_size);
  const std::span<std::byte> data(buffer->bytes.get(), header.data_size);
  const auto known = std::span(front).subspan(header.size);
  std::ranges::copy(known, data.begin());
  stream.read(data.subspan(known.size()));
  stream.finish();
  header.tensor.bytes = data;
  if (!header.transposed) return {std::move(header.tensor), std::move(buffer)};
  const auto ordered = in_c_order(header.tensor);
  header.tensor.bytes = {ordered.get(), data.size()};
  return {std::move(header.tensor), ordered};
}

}  // namespace

NpzFile::NpzFile(const std::filesystem::path& path)
    : path_(path), file_(std::make_shared<FileContents>(path, "NPZ file")) {
  parse(file_->bytes());
}
NpzFile::NpzFile(std::string_view bytes, std::filesystem::path path) : path_(std::move(path)) {
  parse(bytes);
}

std::string NpzFile::place() const { return fmt::format("NPZ file '{}'", path_.string()); }

void NpzFile::parse(std::string_view bytes) {
  entries_ = parse_zip(bytes, place());
  const auto is_array = [](const ZipEntry& entry) { return entry.name.ends_with(suffix); };
  if (!entries_.empty() && std::ranges::none_of(entries_, is_array)) {
    std::vector<std::string_view> names;
    for (const ZipEntry& entry : entries_) names.push_back(entry.name);
    throw Error(fmt::format("{}, entry '{}': it is no .npy file, nor is any other; {}", place(),
                            names.front(), foreign_archive(names)));
  }
  std::erase_if(entries_, std::not_fn(is_array));
  for (const ZipEntry& entry : entries_) {
    names_.push_back(entry.name.substr(0, entry.name.size() - suffix.size()));
    by_name_.add(names_.back());
  }
}

bool NpzFile::contains(std::string_view name) const { return by_name_.find(name).has_value(); }

Array NpzFile::read(std::string_view name) const {
  const auto place_in_directory = by_name_.find(name);
  if (!place_in_directory) {
    std::string all;
    for (const std::string& each : names_) all += (all.empty() ? "" : ", ") + each;
    throw Error(fmt::format("{}: there is no array '{}' in it; there are: {}", place(), name, all));
  }
  const ZipEntry& entry = entries_[*place_in_directory];
  const std::string here = fmt::format("{}, entry '{}'", place(), entry.name);
  Array array;
  if (entry.deflated) {
    array = unpacked(entry, place(), here);
  } else {
    check_stored(entry, place());
    array = parse_npy(entry.data, here);
    if (array.owner == nullptr) array.owner = file_;
  }
  array.tensor.name = name;
  return array;
}

void write_npz(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
               const NpzOptions& options) {
  std::vector<std::string> headers;
  headers.reserve(tensors.size());
  ZipWriter archive;
  try {
    for (const TensorBytes& tensor : tensors) {
      headers.push_back(npy_header(tensor));
      archive.add(tensor.name + std::string(suffix),
                  {headers.back(), {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()}},
                  options.deflate);
    }
  } catch (const Error& error) {
    throw Error(fmt::format("NPZ file '{}': {}", path.string(), error.what()));
  }
  write_atomically(path, archive.finish());
}

}  // namespace gradus
