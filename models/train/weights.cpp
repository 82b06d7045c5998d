#include "gradus/train/weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "gradus/base/error.hpp"
#include "gradus/data/tensor_file.hpp"
#include "models/train/weight_values.hpp"

namespace gradus {

namespace {

template <class T>
std::vector<T> transpose(std::span<const T> values, std::int64_t rows, std::int64_t columns) {
  std::vector<T> turned(values.size());
  const auto height = static_cast<std::size_t>(rows), width = static_cast<std::size_t>(columns);
  for (std::size_t i = 0; i < height; ++i)
    for (std::size_t k = 0; k < width; ++k) turned[k * height + i] = values[i * width + k];
  return turned;
}

// How the tensor is in the file. Error when a tensor that is to be turned has not two axes.
Extents their_extents(const WeightName& name, Extents extents) {
  if (!name.transposed) return extents;
  if (extents.size() != 2)
    throw Error(fmt::format("variable '{}' is {}; only one of two axes can be transposed", name.ours,
                            to_string(extents)));
  std::ranges::reverse(extents);
  return extents;
}

template <class T>
std::vector<double> loaded(const TensorFile& file, const Store<T>& store, const WeightName& name,
                           const LoadOptions& options) {
  const TensorBytes& tensor = file.at(name.theirs);
  const Extents wanted = their_extents(name, store.extents(name.ours));
  if (tensor.extents != wanted)
    throw Error(fmt::format("tensor file '{}': tensor '{}' is {}, but for '{}'{} it must be {}",
                            file.path().string(), name.theirs, to_string(tensor.extents), name.ours,
                            name.transposed ? ", transposed," : "", to_string(wanted)));
  std::vector<double> values = weight_values<T>(file, name.theirs, options);
  if (name.transposed) values = transpose<double>(values, wanted[0], wanted[1]);
  return values;
}

}  // namespace

WeightMap torch_linear(const std::string& ours, const std::string& theirs) {
  return {{ours + "/W", theirs + ".weight", true}, {ours + "/b", theirs + ".bias"}};
}

WeightMap operator+(WeightMap a, const WeightMap& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

template <class T>
void load_weights(Store<T>& store, const std::filesystem::path& path, const WeightMap& map,
                  const LoadOptions& options) {
  const TensorFile file(path);
  if (!options.any_format) require_known_format(file);
  std::vector<std::vector<double>> all;
  for (const WeightName& name : map) all.push_back(loaded(file, store, name, options));
  for (std::size_t i = 0; i < map.size(); ++i) store.set(map[i].ours, all[i]);
}

template <class T>
void detail::load_by_prefix(Store<T>& store, const std::filesystem::path& path, std::string_view prefix,
                            const LoadOptions& options) {
  WeightMap map;
  const TensorFile file(path);
  for (const TensorBytes& tensor : file.tensors())
    if (tensor.name.starts_with(prefix)) map.push_back({tensor.name, tensor.name});
  if (map.empty())
    throw Error(fmt::format("tensor file '{}': no tensor's name begins with '{}'", path.string(), prefix));
  load_weights(store, path, map, options);
}

template <class T>
void save_weights(const Store<T>& store, const std::filesystem::path& path, const WeightMap& map) {
  std::vector<std::vector<T>> turned;
  turned.reserve(map.size());
  std::vector<TensorBytes> tensors;
  for (const WeightName& name : map) {
    const Extents& ours = store.extents(name.ours);
    const Extents theirs = their_extents(name, ours);
    std::span<const T> values = store.values(name.ours);
    if (name.transposed) values = turned.emplace_back(transpose(values, ours[0], ours[1]));
    tensors.push_back(tensor_bytes(name.theirs, theirs, values));
  }
  write_tensors(path, tensors);
}

template void load_weights GRADUS_PUBLIC(Store<float>&, const std::filesystem::path&, const WeightMap&,
                                         const LoadOptions&);
template void load_weights GRADUS_PUBLIC(Store<double>&, const std::filesystem::path&, const WeightMap&,
                                         const LoadOptions&);
template void detail::load_by_prefix GRADUS_PUBLIC(Store<float>&, const std::filesystem::path&,
                                                   std::string_view, const LoadOptions&);
template void detail::load_by_prefix GRADUS_PUBLIC(Store<double>&, const std::filesystem::path&,
                                                   std::string_view, const LoadOptions&);
template void save_weights GRADUS_PUBLIC(const Store<float>&, const std::filesystem::path&, const WeightMap&);
template void save_weights GRADUS_PUBLIC(const Store<double>&, const std::filesystem::path&,
                                         const WeightMap&);

}  // namespace gradus
