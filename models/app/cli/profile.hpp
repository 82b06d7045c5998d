#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "models/tutorials/tutorial.hpp"

/// The command `profile`.
namespace gradus::cli {

struct ProfileOptions {
  std::string name;
  std::int64_t batch = 0;  ///< 0: the tutorial's
  std::size_t runs = 1000;
  Precision precision = Precision::single;
  std::string json;  ///< files to write, or empty
  std::string svg;
};
int profile(const ProfileOptions& options);

}  // namespace gradus::cli
