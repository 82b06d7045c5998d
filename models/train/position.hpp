#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gradus {

/// The position of a training in its data. A checkpoint holds all of it.
struct Position {
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  std::uint64_t drawn = 0;   ///< random numbers drawn before this epoch was shuffled
  std::vector<double> sums;  ///< of scores times batch sizes, over the steps of this epoch
  std::int64_t skipped = 0;  ///< samples of this epoch's steps that were skipped
  std::int64_t samples = 1;
  std::int64_t batch = 1;
  bool shuffle = true;
};

/// The part of a checkpoint that its metadata hold as JSON: the position without `sums`, which are a tensor
/// of their own, and the names and the seed that a resumed training must have, too.
struct SavedPosition {
  Position at;
  std::uint64_t seed = 0;
  std::vector<std::string> names;      ///< of the history's columns
  std::vector<std::string> callbacks;  ///< those with a state
};

/// The JSON text of a position, without `sums`.
std::string to_json(const SavedPosition& saved);

/// The position in a text that to_json wrote. Error, which gives only the reason, for any other text.
SavedPosition position_from(const std::string& text);

}  // namespace gradus
