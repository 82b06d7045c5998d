#pragma once

#include <cstdint>
#include <span>

#include "gradus/train/dataset.hpp"

namespace GRADUS_PUBLIC gradus {

/// How many of the samples are for training when this fraction is kept for validation: ⌊count · (1 − split)⌋
/// of the fraction that was meant, not of its rounding. 0.9 of 10 leaves 1.
std::int64_t training_count(std::int64_t count, double split);

/// The rows of a data set in two parts.
struct SplitRows {
  Rows training;    ///< in a random order
  Rows validation;  ///< likewise
};

/// A random split in which each class has its share in both parts, up to rounding, and at least one sample in
/// the training part. `labels` has a class for each row, as any number. Error unless split is in [0, 1), or
/// for a split above 0 that leaves no row for validation. See `Dataset::select`.
SplitRows stratified_split(std::span<const double> labels, double split, std::uint64_t seed = 0);

}  // namespace gradus
