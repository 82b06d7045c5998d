#pragma once

#include <concepts>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/runtime/store.hpp"
#include "gradus/train/load_options.hpp"

namespace GRADUS_PUBLIC gradus {

/// A variable of ours, and what the tensor is called in a file of another program.
struct WeightName {
  std::string ours;         ///< in the store
  std::string theirs;       ///< in the file
  bool transposed = false;  ///< theirs is [out, in] where ours is [in, out]
};
/// As many as are to be loaded or saved.
using WeightMap = std::vector<WeightName>;

/// PyTorch's nn.Linear, whose weight is [out, in], for our `linear`: ours/W and ours/b.
WeightMap torch_linear(const std::string& ours, const std::string& theirs);
/// The names of both maps, one after the other.
WeightMap operator+(WeightMap a, const WeightMap& b);

/// Sets the named variables from a safetensors or NPZ file with tensors of any floating type; others stay as
/// they are. Error, and nothing changed, when a tensor or a variable is missing or the shapes do not fit; and
/// for numbers that are not finite, or a format of ours that this version does not know, unless the options
/// ask for them.
template <class T>
void load_weights(Store<T>& store, const std::filesystem::path& path, const WeightMap& map,
                  const LoadOptions& options = {});

namespace detail {
template <class T>
void load_by_prefix(Store<T>& store, const std::filesystem::path& path, std::string_view prefix,
                    const LoadOptions& options);
}  // namespace detail

/// The same for every tensor of the file whose name begins with the prefix: it goes to the variable of its
/// name. Others stay as they are, such as an optimizer's slots, or a part that is trained anew.
template <class T, std::convertible_to<std::string_view> Prefix = std::string_view>
void load_weights(Store<T>& store, const std::filesystem::path& path, const Prefix& prefix = {},
                  const LoadOptions& options = {}) {
  detail::load_by_prefix(store, path, prefix, options);
}

/// Writes the named variables under their names and turned as they are there, as safetensors or, by the
/// extension .npz, as NPZ.
template <class T>
void save_weights(const Store<T>& store, const std::filesystem::path& path, const WeightMap& map);

}  // namespace gradus
