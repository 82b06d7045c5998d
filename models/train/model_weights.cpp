#include "models/train/model_weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/graph/node.hpp"
#include "models/train/weight_values.hpp"

namespace gradus {

template <class T>
const TensorBytes& tensor_for(const std::string& variable, const TensorFile& file, const Store<T>& store) {
  const TensorBytes& tensor = file.at(variable);
  if (tensor.extents != store.extents(variable))
    throw Error(fmt::format(
        "tensor file '{}': tensor '{}' is {}, but the model's is {}; it is of another model",
        file.path().string(), variable, to_string(tensor.extents), to_string(store.extents(variable))));
  return tensor;
}

template <class T>
ModelWeights<T>::ModelWeights(const Graph& inference, Store<T> store) : store_(std::move(store)) {
  for (NodeId id = 0; id < inference.size(); ++id)
    if (const Variable* variable = inference[id].variable()) names_.push_back(variable->name);
}

template <class T> NamedValues ModelWeights<T>::values() const {
  NamedValues all;
  for (const std::string& name : names_) {
    const auto values = store_.values(name);
    all[name].assign(values.begin(), values.end());
  }
  return all;
}

template <class T> void ModelWeights<T>::set(const NamedValues& values) {
  for (const auto& [name, numbers] : values) store_.set(name, numbers);
}

template <class T>
void ModelWeights<T>::save(const std::string& path, std::map<std::string, std::string> notes) const {
  std::vector<TensorBytes> tensors;
  for (const std::string& name : names_)
    tensors.push_back(tensor_bytes(name, store_.extents(name), store_.values(name)));
  notes.emplace(format_key, weights_format);
  write_tensors(path, tensors, notes);
}

template <class T>
void ModelWeights<T>::load(const std::string& path, std::string_view prefix, const LoadOptions& options) {
  const TensorFile file(path);
  if (!options.any_format) require_known_format(file);
  NamedValues loaded;
  for (const std::string& name : names_) {
    if (!name.starts_with(prefix)) continue;
    tensor_for(name, file, store_);
    loaded[name] = weight_values<T>(file, name, options);
  }
  if (loaded.empty() && !prefix.empty())
    throw Error(fmt::format("load_weights: the model has no weights whose names begin with '{}'; it has: {}",
                            prefix, fmt::join(names_, ", ")));
  set(loaded);
}

template class ModelWeights<float>;
template class ModelWeights<double>;
template const TensorBytes& tensor_for(const std::string&, const TensorFile&, const Store<float>&);
template const TensorBytes& tensor_for(const std::string&, const TensorFile&, const Store<double>&);

}  // namespace gradus
