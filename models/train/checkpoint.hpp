#pragma once

#include <cstddef>
#include <string>

#include "gradus/runtime/store.hpp"
#include "gradus/train/load_options.hpp"
#include "models/train/training_state.hpp"

namespace gradus {

/// Writes a training to a file from which it goes on bit for bit: all values of the store, the state, and the
/// user's notes.
template <class T>
void write_checkpoint(const std::string& path, const Store<T>& store, const TrainingState& state);

/// Reads what write_checkpoint wrote into a training of the same model and seed, which has so many scores.
/// Error, and nothing changed, for a file that is of another training or damaged.
template <class T>
void read_checkpoint(const std::string& path, std::size_t scores, Store<T>& store, TrainingState& state,
                     const LoadOptions& options);

}  // namespace gradus
