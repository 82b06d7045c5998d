#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/name_index.hpp"
#include "gradus/data/tensor_bytes.hpp"

/// Files of named tensors: weights, checkpoints.
namespace GRADUS_PUBLIC gradus {

/// A file of named tensors in the safetensors or the NPZ format; which of both is recognised by the contents.
/// The tensors are views of the file's bytes and valid as long as this object.
class TensorFile {
 public:
  /// Tensors that cannot be read, as those of F8, C64 or texts, are an Error only for who asks for them.
  /// Error, naming the file, the place and the remedy, for what is missing, and what parse_safetensors or
  /// NpzFile refuses. Memory is bounded by the file's size, whatever its header says.
  explicit TensorFile(const std::filesystem::path& path);
  /// The same of a file's bytes, which must outlive this.
  TensorFile(std::string_view bytes, std::filesystem::path path);

  /// The file.
  const std::filesystem::path& path() const { return path_; }
  /// The texts kept with the tensors.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// Those that can be read, in the order of their bytes.
  const std::vector<TensorBytes>& tensors() const { return tensors_; }

  /// Null when there is none of this name that can be read.
  const TensorBytes* find(std::string_view name) const;
  /// Error when there is none, or when it cannot be read.
  const TensorBytes& at(std::string_view name) const;
  /// Error when one of this name is there and cannot be read.
  void require_readable(std::string_view name) const;
  /// The values of a tensor of floating type as doubles; Error for another type or when there is none.
  std::vector<double> values(std::string_view name) const;

 private:
  void parse(std::string_view bytes);
  void parse_tensors(std::string_view bytes);
  void parse_arrays(std::string_view bytes);

  std::filesystem::path path_;
  std::map<std::string, std::string> metadata_;
  std::vector<TensorBytes> tensors_;
  NameIndex by_name_;
  std::map<std::string, std::string, std::less<>> unreadable_;  // why, by name
  std::vector<std::shared_ptr<const void>> owners_;
};

/// Writes the tensors in this order, atomically (see write_atomically): as NPZ when the name ends with .npz,
/// else as safetensors. In NPZ the metadata are an array of bytes, "__metadata__", that holds JSON. Error for
/// a name given twice, or bytes that do not fit the extents.
void write_tensors(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                   const std::map<std::string, std::string>& metadata = {});

}  // namespace gradus
