#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/tensor_file.hpp"
#include "gradus/train/load_options.hpp"

/// Weights as files have them, checked before they are taken.
namespace GRADUS_PUBLIC gradus {

/// The formats of this version's files, which their metadata name.
inline constexpr const char* format_key = "format";
inline constexpr const char* weights_format = "gradus weights 1";
inline constexpr const char* checkpoint_format = "gradus checkpoint 2";

/// Error for a file that names a format of ours that this version does not know.
void require_known_format(const TensorFile& file);

/// Error, naming tensor, entry and value, where a tensor of the file holds numbers that are not finite as T.
template <class T> void require_finite(const TensorFile& file, std::string_view name);

/// The values of a tensor that become a variable of T's; Error as of TensorFile::values, and for what the
/// options do not let pass.
template <class T>
std::vector<double> weight_values(const TensorFile& file, std::string_view name, const LoadOptions& options);

}  // namespace gradus
