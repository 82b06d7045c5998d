#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/tensor_file.hpp"
#include "gradus/graph/graph.hpp"
#include "gradus/runtime/store.hpp"
#include "gradus/train/callback.hpp"
#include "gradus/train/load_options.hpp"

namespace gradus {

/// The variables that a model's predictions depend on, its parameters and running means, without the
/// optimizer's slots.
template <class T> class ModelWeights {
 public:
  /// The variables of the inference graph, whose values are in the store.
  ModelWeights(const Graph& inference, Store<T> store);

  /// All values, by name.
  NamedValues values() const;
  /// Sets those that are given.
  void set(const NamedValues& values);

  /// Writes all of them to a file, with the notes as its metadata.
  void save(const std::string& path, std::map<std::string, std::string> notes) const;
  /// Reads those whose names begin with the prefix. Error, and nothing changed, when there is none of this
  /// name, or one is missing or has another shape,
  /// or what the options do not let pass.
  void load(const std::string& path, std::string_view prefix, const LoadOptions& options);

 private:
  std::vector<std::string> names_;
  Store<T> store_;
};

/// The tensor of a file that is to fill a variable of the store; Error when there is none, or it has another
/// shape.
template <class T>
const TensorBytes& tensor_for(const std::string& variable, const TensorFile& file, const Store<T>& store);

}  // namespace gradus
