#include "gradus/data/array.hpp"

#include <fmt/format.h>

#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/data/idx.hpp"
#include "gradus/data/npy.hpp"
#include "models/data/file_kind.hpp"

namespace gradus {

Array read_array(const std::filesystem::path& path) {
  const FileKind kind = kind_of(path);
  if (kind == FileKind::npy) {
    const auto file = std::make_shared<NpyFile>(path);
    return {file->tensor(), file};
  }
  if (kind == FileKind::npz)
    throw Error(fmt::format("'{}' holds arrays by name; read it with NpzFile, and take one", path.string()));
  const auto idx = std::make_shared<IdxFile>(read_idx(path));
  return {{path.stem().string(), idx->type, idx->extents, std::as_bytes(std::span(idx->values))}, idx};
}

}  // namespace gradus
