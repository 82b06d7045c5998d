#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "gradus/inspect/draw.hpp"

/// The commands `check` and `graph`.
namespace gradus::cli {

struct CheckOptions {
  std::string name;
  std::string mode;  ///< full, fast, or empty: by the size
  int order = 1;
  std::string json;  ///< file to write, or empty
};
int check(const CheckOptions& options);

struct GraphOptions {
  std::string name;
  std::string what = "training";          ///< forward, training or plan
  std::string format = "text";            ///< text, dot or svg
  std::optional<std::size_t> boxes = {};  ///< of a picture; by default, as many as DrawOptions says
};
int graph(const GraphOptions& options);

}  // namespace gradus::cli
