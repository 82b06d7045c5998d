#include "gradus/data/read_table.hpp"

#include "gradus/data/csv.hpp"
#include "models/data/array_table.hpp"
#include "models/data/file_kind.hpp"

namespace gradus {

Table read_table(const std::filesystem::path& path, const ReadTableOptions& options) {
  return kind_of(path) == FileKind::other ? read_csv(path, options) : read_array_table(path, options);
}

}  // namespace gradus
