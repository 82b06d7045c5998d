#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/array.hpp"
#include "gradus/data/file_contents.hpp"
#include "gradus/data/name_index.hpp"
#include "gradus/data/zip_entry.hpp"

/// Arrays by name in NumPy's .npz: a zip archive of NPY files, stored or deflated.
namespace GRADUS_PUBLIC gradus {

/// An archive of arrays; each is read when it is asked for.
class NpzFile {
 public:
  /// Reads the directory. Entries that are no .npy are passed over. Error, naming the file and the offset or
  /// the entry, for what parse_zip refuses, and when there are entries but none is an .npy.
  explicit NpzFile(const std::filesystem::path& path);
  /// The same of bytes, which must outlive what is read.
  NpzFile(std::string_view bytes, std::filesystem::path path);

  /// The file.
  const std::filesystem::path& path() const { return path_; }
  /// Without ".npy", in the order of the directory.
  const std::vector<std::string>& names() const { return names_; }
  /// Whether there is an array of this name.
  bool contains(std::string_view name) const;

  /// An array: of a stored entry the file's bytes, else unpacked into memory, of which no more is taken than
  /// the NPY header and the directory agree on. Error when there is none of this name, for a wrong checksum
  /// and what parse_npy refuses.
  Array read(std::string_view name) const;

 private:
  void parse(std::string_view bytes);
  std::string place() const;

  std::filesystem::path path_;
  std::shared_ptr<const FileContents> file_;  // null: the bytes are someone else's
  std::vector<ZipEntry> entries_;
  std::vector<std::string> names_;
  NameIndex by_name_;
};

/// How an archive is written.
struct NpzOptions {
  bool deflate = false;  ///< as np.savez_compressed does
};

/// Writes the arrays in this order, atomically (see write_atomically). The same arrays give the same bytes.
/// Error for a name given twice and what npy_header refuses.
void write_npz(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
               const NpzOptions& options = {});

}  // namespace gradus
