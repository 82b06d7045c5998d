#pragma once

#include <filesystem>
#include <memory>

#include "gradus/data/tensor_bytes.hpp"

namespace GRADUS_PUBLIC gradus {

/// A tensor that was read, and what keeps its bytes alive; copies share them.
struct Array {
  TensorBytes tensor;                 ///< its bytes
  std::shared_ptr<const void> owner;  ///< of the bytes
};

/// The array in an NPY file, which is mapped and not copied, or in an IDX file, plain or gzip-compressed; the
/// contents tell which. Error for anything else; of an NPZ file, see NpzFile.
Array read_array(const std::filesystem::path& path);

}  // namespace gradus
