#include "models/app/table/csv_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gradus/data/option_error.hpp"
#include "models/data/file_kind.hpp"

namespace gradus {

void require_csv_for(const std::vector<std::string>& options, const std::string& data) {
  if (options.empty() || kind_of(std::filesystem::path(data)) == FileKind::other) return;
  throw OptionError(options, fmt::format("{}: a file of arrays has no use for {}; leave that out", data,
                                         fmt::join(options, " and ")));
}

}  // namespace gradus
