// What a training leaves on the disk: weights, and checkpoints, from which it goes on bit for bit.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "gradus/base/error.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/graph/node.hpp"
#include "models/train/trainer_impl.hpp"

namespace gradus {

namespace {

constexpr const char* format_key = "format";
constexpr const char* checkpoint_format = "gradus checkpoint 1";
constexpr const char* weights_format = "gradus weights 1";
constexpr const char* position_key = "training";
constexpr std::string_view sums_name = "training/sums";
constexpr std::string_view history_name = "training/history";
constexpr std::string_view callback_prefix = "callback/";

template <class T>
constexpr ElementType element_type = sizeof(T) == sizeof(float) ? ElementType::f32 : ElementType::f64;

// Numbers under a name that the store does not use.
TensorBytes numbers(std::string name, const std::vector<double>& values) {
  return tensor_bytes(std::move(name), {static_cast<std::int64_t>(values.size())}, values);
}

// Error unless the tensor can fill this variable.
template <class T>
const TensorBytes& checked(const TensorFile& file, const Store<T>& store, const std::string& name) {
  const TensorBytes& tensor = file.at(name);
  if (tensor.extents != store.extents(name))
    throw Error(
        fmt::format("tensor file '{}': tensor '{}' is {}, but the model's is {}; it is of another model",
                    file.path().string(), name, to_string(tensor.extents), to_string(store.extents(name))));
  return tensor;
}

}  // namespace

template <class T>
std::vector<std::string> Trainer<T>::Impl::weight_names() const {
  std::vector<std::string> names;
  for (NodeId id = 0; id < inference->graph.size(); ++id)
    if (const Variable* variable = inference->graph[id].variable())
      names.push_back(variable->name);
  return names;
}

template <class T>
void Trainer<T>::Impl::save_weights(const std::string& path) {
  std::vector<TensorBytes> tensors;
  for (const std::string& name : weight_names())
    tensors.push_back(tensor_bytes(name, store.extents(name), std::as_const(store).values(name)));
  auto metadata = notes;
  metadata.emplace(format_key, weights_format);
  write_tensors(path, tensors, metadata);
}

template <class T>
void Trainer<T>::Impl::load_weights(const std::string& path) {
  const TensorFile file(path);
  NamedValues loaded;
  for (const std::string& name : weight_names()) {
    checked(file, store, name);
    loaded[name] = file.values(name);
  }
  set_weights(loaded);
}

template <class T>
void Trainer<T>::Impl::write_checkpoint(const std::string& path) const {
  std::vector<TensorBytes> tensors;
  for (const std::string& name : store.names())
    tensors.push_back(tensor_bytes(name, store.extents(name), store.values(name)));
  std::vector<double> history;
  for (const auto& row : record.epochs) history.insert(history.end(), row.begin(), row.end());
  tensors.push_back(numbers(std::string(sums_name), at.sums));
  tensors.push_back(numbers(std::string(history_name), history));
  SavedPosition saved{at, seed, record.names, {}};
  std::vector<NamedValues> memories;  // until they are written
  memories.reserve(callbacks.size());
  for (std::size_t i = 0; i < callbacks.size(); ++i) {
    if (callbacks[i]->name().empty()) continue;
    const std::string key = fmt::format("{}/{}", i, callbacks[i]->name());
    saved.callbacks.push_back(key);
    memories.push_back(callbacks[i]->save());
    for (const auto& [name, values] : memories.back())
      tensors.push_back(numbers(fmt::format("{}{}/{}", callback_prefix, key, name), values));
  }
  auto metadata = notes;
  metadata[format_key] = checkpoint_format;
  metadata[position_key] = to_json(saved);
  write_tensors(path, tensors, metadata);
}

template <class T>
void Trainer<T>::Impl::read_checkpoint(const std::string& path) {
  const TensorFile file(path);
  const auto refuse = [&](std::string_view why) {
    throw Error(fmt::format("checkpoint '{}': {}", path, why));
  };
  const auto& metadata = file.metadata();
  const auto format = metadata.find(format_key);
  if (format == metadata.end() || format->second != checkpoint_format || !metadata.contains(position_key))
    refuse("this is no checkpoint of a training; name one that was written by 'checkpoint'");
  for (const std::string& name : store.names())
    if (checked(file, store, name).type != element_type<T>)
      refuse(fmt::format("it was made in {} precision; resume in the same",
                         sizeof(T) == sizeof(float) ? "double" : "single"));

  SavedPosition saved;
  try {
    saved = position_from(metadata.at(position_key));
  } catch (const Error& error) {
    refuse(fmt::format("its position cannot be read ({}); it is damaged", error.what()));
  }
  if (saved.seed != seed)
    refuse(fmt::format("it was made with seed {}, not {}; resume with the same", saved.seed, seed));
  saved.at.sums = file.values(sums_name);
  const auto flat = file.values(history_name);
  const std::size_t width = saved.names.size();
  const bool whole = width > 0 ? flat.size() % width == 0 : flat.empty();
  if (!whole || saved.at.sums.size() != score_names.size())
    refuse("its position in the training makes no sense for this model; it is damaged or of another");
  std::vector<std::vector<double>> epochs;
  for (std::size_t i = 0; i < flat.size(); i += width)
    epochs.emplace_back(flat.begin() + static_cast<std::ptrdiff_t>(i),
                        flat.begin() + static_cast<std::ptrdiff_t>(i + width));
  std::map<std::string, NamedValues> memories;
  for (const std::string& key : saved.callbacks) {
    const std::string prefix = fmt::format("{}{}/", callback_prefix, key);
    memories[key];
    for (const TensorBytes& tensor : file.tensors())
      if (tensor.name.starts_with(prefix))
        memories[key][tensor.name.substr(prefix.size())] = file.values(tensor.name);
  }

  for (const std::string& name : store.names()) {
    const auto to = store.values(name);
    std::memcpy(to.data(), file.at(name).bytes.data(), to.size_bytes());
  }
  at = std::move(saved.at);
  remembered = std::move(memories);
  earlier_epochs = std::move(epochs);
  resumed = true;
}

template void Trainer<float>::Impl::save_weights(const std::string&);
template void Trainer<double>::Impl::save_weights(const std::string&);
template void Trainer<float>::Impl::load_weights(const std::string&);
template void Trainer<double>::Impl::load_weights(const std::string&);
template void Trainer<float>::Impl::write_checkpoint(const std::string&) const;
template void Trainer<double>::Impl::write_checkpoint(const std::string&) const;
template void Trainer<float>::Impl::read_checkpoint(const std::string&);
template void Trainer<double>::Impl::read_checkpoint(const std::string&);
template std::vector<std::string> Trainer<float>::Impl::weight_names() const;
template std::vector<std::string> Trainer<double>::Impl::weight_names() const;

}  // namespace gradus
