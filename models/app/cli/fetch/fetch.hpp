#pragma once

#include <string>

/// The command `fetch`.
namespace gradus::cli {

struct FetchCommandOptions {
  std::string what;  ///< mnist
  std::string data;  ///< the folder to put it in, or empty for the one that training looks into
};
/// Whether this build has the command.
bool can_fetch();
int fetch(const FetchCommandOptions& options);

}  // namespace gradus::cli
