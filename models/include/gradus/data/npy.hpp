#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "gradus/data/array.hpp"
#include "gradus/data/mapped_file.hpp"
#include "gradus/data/tensor_bytes.hpp"

/// Arrays in NumPy's format (numpy.lib.format, versions 1 to 3): magic, a header that is a Python dictionary,
/// then the elements. What is read is little-endian; big-endian numbers are an Error that says how to save
/// them instead. Arrays in C order, and in Fortran order when they have one axis that is longer than 1, are
/// views of the file; others in Fortran order are copied into C order.
namespace GRADUS_PUBLIC gradus {

/// The parsed header of an NPY file. The tensor has its type and extents, but no bytes yet.
struct NpyHeader {
  TensorBytes tensor;           ///< type and extents
  bool transposed = false;      ///< whether the elements are in Fortran order, and not in C order, too
  std::size_t size = 0;         ///< of magic and header: the elements begin there
  std::uint64_t data_size = 0;  ///< of the elements
};

/// A header is no longer than this, and so within this many bytes with what precedes it.
constexpr std::size_t npy_header_limit = (std::size_t{1} << 16U) + 12;

/// `front` is the whole file or its first npy_header_limit bytes, `total` the file's size. Error, beginning
/// with `place` and the offset of the byte, for what is no NPY file, or not as long as its header says: types
/// other than bool, int, uint and float; big-endian numbers; trailing bytes.
NpyHeader parse_npy_header(std::string_view front, std::uint64_t total, std::string_view place);
/// The array looks into `file` and has no owner, unless its elements had to be put into C order.
Array parse_npy(std::string_view file, std::string_view place);

/// The elements in C order of an array whose elements are in Fortran order.
std::shared_ptr<std::byte[]> in_c_order(const TensorBytes& tensor);

/// The array of a file, which is mapped: nothing is copied but what is in Fortran order, and only what is
/// looked at is read from the disk.
class NpyFile {
 public:
  /// Error naming the file for what is missing and what parse_npy_header refuses.
  explicit NpyFile(const std::filesystem::path& path);

  /// The array; its bytes are the file's, unless they had to be put into C order.
  const TensorBytes& tensor() const { return array_.tensor; }
  /// The elements where they lie. Error when the array is of another type.
  template <class T> std::span<const T> values() const;

 private:
  std::string place_;
  MappedFile file_;
  Array array_;
};

/// The bytes of an NPY file that precede the elements. Error for arrays that NumPy does not support: BF16, or
/// more than 64 axes.
std::string npy_header(const TensorBytes& tensor);
/// Writes the array, atomically (see write_atomically); its name is not kept.
void write_npy(const std::filesystem::path& path, const TensorBytes& tensor);

}  // namespace gradus
