#include "gradus/models/data/array_table.hpp"
#include "gradus/models/data/csv.hpp"
#include "gradus/models/data/file_kind.hpp"

namespace gradus {

Table read_table(const std::filesystem::path& path, const ReadTableOptions& options) {
  return kind_of(path) == FileKind::other ? read_csv(path, options) : read_array_table(path, options);
}

}  // namespace gradus
