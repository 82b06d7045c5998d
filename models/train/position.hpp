#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gradus {

// Where a training is; all of it is in a checkpoint, beside the store's values.
struct Position {
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  std::uint64_t drawn = 0;   // by the shuffler, before this epoch's order
  std::vector<double> sums;  // of outputs times batch sizes, over this epoch
  std::int64_t samples = 1;
  std::int64_t batch = 1;
  bool shuffle = true;
};

// What a checkpoint's metadata say: a position without its sums, which are a tensor, and what it must fit.
struct SavedPosition {
  Position at;
  std::uint64_t seed = 0;
  std::vector<std::string> names;      // of the history's columns
  std::vector<std::string> callbacks;  // that remember something
};

std::string to_json(const SavedPosition& saved);

// Error with the reason alone, unless the text is what to_json writes.
SavedPosition position_from(const std::string& text);

}  // namespace gradus
