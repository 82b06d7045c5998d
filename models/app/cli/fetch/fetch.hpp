#pragma once

#include <string>

/// The command `fetch`.
namespace gradus::cli {

struct FetchCommandOptions {
  std::string what;  ///< mnist
  std::string data;  ///< the folder to put it in, or empty for the usual one
};
int fetch(const FetchCommandOptions& options);

}  // namespace gradus::cli
