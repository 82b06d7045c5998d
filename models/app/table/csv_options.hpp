#pragma once

#include <string>
#include <vector>

/// Options that say how a CSV file is written.
namespace gradus {

/// OptionError where some are given for a table that is a file of arrays, which has no use for them.
void require_csv_for(const std::vector<std::string>& options, const std::string& data);

}  // namespace gradus
