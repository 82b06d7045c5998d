#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/runtime/store.hpp"
#include "gradus/train/fit_options.hpp"
#include "gradus/train/load_options.hpp"
#include "gradus/train/model.hpp"

namespace GRADUS_PUBLIC gradus {

/// Trains, evaluates and applies a model, as Keras's fit, evaluate and predict do: a graph for training and
/// one for inference over one store. The same definition, seed and data give the same bits.
template <class T> class Trainer {
 public:
  /// Builds both graphs; the seed is that of starting weights and order. Inputs, loss, metrics and optimizer
  /// carry the caller's line, and so do errors about them.
  explicit Trainer(const ModelDefinition& model, std::uint64_t seed = 0,
                   Location where = Location::current());
  /// Moves; trainers are not copied.
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;
  ~Trainer();

  /// Trains, from the checkpoint's position after `resume`. Error for options that make no sense, or differ
  /// from those of the checkpoint; and, naming the node of the graph, for a step that is not finite, which is
  /// not taken (see `stop_on_nan` for other answers). Error within a callback of a fit of this trainer.
  History fit(const Dataset<T>& data, const FitOptions<T>& options);
  /// The loss and the metrics over all samples, at inference.
  Scores evaluate(const Dataset<T>& data, std::int64_t batch = 32);
  /// The predictions, row-major; the data need no targets.
  std::vector<T> predict(const Dataset<T>& data, std::int64_t batch = 32);

  /// Parameters and running means as a safetensors file, with the notes as its metadata. Loading takes F32
  /// and F64; Error, and nothing changed, when one is missing or has another shape.
  void save_weights(const std::string& path) const;
  /// Error, naming tensor, entry and value, for numbers that are not finite, and for a format that this
  /// version does not know, unless the options ask for them.
  void load_weights(const std::string& path);
  /// The same for the parameters and running means whose names begin with the prefix, "encoder/": all others
  /// stay as they are. Error, and nothing changed, when there is none.
  void load_weights(const std::string& path, std::string_view prefix, const LoadOptions& options = {});
  /// Everything that outlives a step, and the position in the training: `fit` after `resume`, with the same
  /// definition, data and options, goes on bit for bit. Only epochs and learning rates may be others: the
  /// rates of this trainer's definition are then used, and `History::remarks` says so. Error, and nothing
  /// changed, for a file that does not fit the model, or was made with another definition; and for variables
  /// that are not finite, unless the options ask for them.
  void save_checkpoint(const std::string& path) const;
  void resume(const std::string& path, const LoadOptions& options = {});
  /// Texts to be kept in both, such as the recipe of the model.
  std::map<std::string, std::string>& notes();

  /// A table of layers with shapes and parameter counts.
  std::string summary() const;

  /// The values that persist between steps: parameters, optimizer slots, counters. What is dropped from it
  /// starts anew when the trainer is next used.
  Store<T>& store();
  /// One of the two graphs.
  ModelGraph& graph(Mode::Purpose purpose);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

extern template class Trainer<float>;
extern template class Trainer<double>;

}  // namespace gradus
