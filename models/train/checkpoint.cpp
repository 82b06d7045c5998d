#include "models/train/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/data/tensor_file.hpp"
#include "models/train/model_weights.hpp"
#include "models/train/weight_values.hpp"

namespace gradus {

namespace {

constexpr const char* position_key = "training";
constexpr const char* data_key = "training/data";
constexpr std::string_view nodes_name = "training/nodes";
constexpr std::string_view starts_name = "training/starts";
constexpr std::string_view sums_name = "training/sums";
constexpr std::string_view history_name = "training/history";
constexpr std::string_view callback_prefix = "callback/";

template <class T>
constexpr ElementType element_type = sizeof(T) == sizeof(float) ? ElementType::f32 : ElementType::f64;

using Table = std::vector<std::vector<double>>;

[[noreturn]] void refuse(const TensorFile& file, std::string_view why) {
  throw Error(fmt::format("checkpoint '{}': {}", file.path().string(), why));
}

// A vector under a name that no variable of the store has.
TensorBytes vector_tensor(std::string name, const std::vector<double>& values) {
  return tensor_bytes(std::move(name), {static_cast<std::int64_t>(values.size())}, values);
}

std::string tensor_prefix(const std::string& callback) {
  return fmt::format("{}{}/", callback_prefix, callback);
}

SavedPosition position_in(const TensorFile& file) {
  const auto& metadata = file.metadata();
  try {
    SavedPosition saved = position_from(metadata.at(position_key));
    saved.at.sums = file.values(sums_name);
    return saved;
  } catch (const Error& error) {
    refuse(file, fmt::format("its position cannot be read ({}); it is damaged", error.what()));
  }
}

// The history, which is kept as one vector, row after row.
Table history_in(const TensorFile& file, std::size_t width) {
  const std::vector<double> flat = file.values(history_name);
  if (width > 0 ? flat.size() % width != 0 : !flat.empty())
    refuse(file, "its history makes no sense for its scores; it is damaged");
  Table epochs;
  for (auto row = flat.begin(); row != flat.end(); row += static_cast<std::ptrdiff_t>(width))
    epochs.emplace_back(row, row + static_cast<std::ptrdiff_t>(width));
  return epochs;
}

CallbackStates callback_states_in(const TensorFile& file, const std::vector<std::string>& callbacks) {
  CallbackStates states;
  for (const std::string& callback : callbacks) {
    const std::string prefix = tensor_prefix(callback);
    NamedValues& values = states.emplace_back(callback, NamedValues{}).second;
    for (const TensorBytes& tensor : file.tensors())
      if (tensor.name.starts_with(prefix))
        values[tensor.name.substr(prefix.size())] = file.values(tensor.name);
  }
  return states;
}

// Error unless the file is a checkpoint whose tensors fill the store exactly.
template <class T> void require_fit(const TensorFile& file, const Store<T>& store) {
  require_known_format(file);
  const auto& metadata = file.metadata();
  const auto format = metadata.find(format_key);
  if (format == metadata.end() || format->second != checkpoint_format || !metadata.contains(position_key) ||
      !metadata.contains(data_key))
    refuse(file, "this is no checkpoint of a training; name one that was written by 'checkpoint'");
  for (const std::string& name : store.names())
    if (tensor_for(name, file, store).type != element_type<T>)
      refuse(file, fmt::format("it was made in {} precision; resume in the same",
                               sizeof(T) == sizeof(float) ? "double" : "single"));
}

// Error unless the file is of this model, made with the same options. Returns the variables whose values are
// not to be taken from the file: learning rates that are to begin with another number, with a remark on each.
std::vector<std::string> require_same_model(const TensorFile& file, TrainingState& state) {
  const ModelIdentity& model = state.model;
  const std::vector<double> nodes = file.values(nodes_name), starts = file.values(starts_name);
  const auto differs = std::ranges::mismatch(model.nodes, nodes).in1 - model.nodes.begin();
  const auto at = static_cast<std::size_t>(differs);
  if (model.nodes != nodes)
    refuse(file,
           fmt::format("the model or its optimizer is not the one that it was made with: {}; resume with "
                       "the same",
                       at < model.places.size() ? model.places[at] + " is the first node that differs"
                                                : "it had more nodes"));
  if (starts.size() != model.starts.size()) refuse(file, "its starting values are damaged");
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    // Random numbers may differ by the rounding of the C library.
    if (std::abs(starts[i] - model.starts[i]) <= 1e-6 * std::abs(starts[i])) continue;
    const std::string& name = model.variables[i];
    if (!model.settings[i])
      refuse(file, fmt::format("it was made by a training in which '{}' started with other values (root mean "
                               "square {:.6g}, not {:.6g}); resume with the same options",
                               name, starts[i], model.starts[i]));
    kept.push_back(name);
    state.remarks.push_back(
        fmt::format("'{}' is {:.6g}, as asked for; the training that is resumed began with {:.6g}", name,
                    model.starts[i], starts[i]));
  }
  return kept;
}

}  // namespace

template <class T>
void write_checkpoint(const std::string& path, const Store<T>& store, const TrainingState& state) {
  std::vector<TensorBytes> tensors;
  for (const std::string& name : store.names())
    tensors.push_back(tensor_bytes(name, store.extents(name), store.values(name)));
  std::vector<double> history;
  for (const auto& row : state.history.epochs) history.insert(history.end(), row.begin(), row.end());
  tensors.push_back(vector_tensor(std::string(sums_name), state.position.sums));
  tensors.push_back(vector_tensor(std::string(history_name), history));
  tensors.push_back(vector_tensor(std::string(nodes_name), state.model.nodes));
  tensors.push_back(vector_tensor(std::string(starts_name), state.model.starts));
  SavedPosition saved{state.position, state.seed, state.history.names, {}};
  const CallbackStates callback_states = state.callback_states();
  for (const auto& [callback, callback_state] : callback_states) {
    saved.callbacks.push_back(callback);
    for (const auto& [name, values] : callback_state)
      tensors.push_back(vector_tensor(tensor_prefix(callback) + name, values));
  }
  auto metadata = state.notes;
  metadata[format_key] = checkpoint_format;
  metadata[position_key] = to_json(saved);
  metadata[data_key] = state.data;
  write_tensors(path, tensors, metadata);
}

template <class T>
void read_checkpoint(const std::string& path, std::size_t scores, Store<T>& store, TrainingState& state,
                     const LoadOptions& options) {
  const TensorFile file(path);
  require_fit(file, store);
  if (!options.not_finite)
    for (const std::string& name : store.names()) require_finite<T>(file, name);
  SavedPosition saved = position_in(file);
  if (saved.seed != state.seed)
    refuse(file,
           fmt::format("it was made with seed {}, not {}; resume with the same", saved.seed, state.seed));
  // One that was written before its training began has no sums yet.
  const bool begun = !saved.at.sums.empty() || saved.at.epoch > 0 || saved.at.step > 0;
  if (begun && saved.at.sums.size() != scores)
    refuse(file, "its position in the training makes no sense for this model; it is damaged or of another");
  Table epochs = history_in(file, saved.names.size());
  CallbackStates callback_states = callback_states_in(file, saved.callbacks);

  state.remarks.clear();
  const std::vector<std::string> kept = require_same_model(file, state);

  for (const std::string& name : store.names()) {
    const auto to = store.values(name);
    std::memcpy(to.data(), file.at(name).bytes.data(), to.size_bytes());
  }
  for (const std::string& name : kept) store.reset(name);
  state.data = file.metadata().at(data_key);
  state.position = std::move(saved.at);
  state.history = {};
  state.history.names = std::move(saved.names);
  state.history.epochs = std::move(epochs);
  if (begun) state.resumed = std::move(callback_states);
}

template void write_checkpoint(const std::string&, const Store<float>&, const TrainingState&);
template void write_checkpoint(const std::string&, const Store<double>&, const TrainingState&);
template void read_checkpoint(const std::string&, std::size_t, Store<float>&, TrainingState&,
                              const LoadOptions&);
template void read_checkpoint(const std::string&, std::size_t, Store<double>&, TrainingState&,
                              const LoadOptions&);

}  // namespace gradus
