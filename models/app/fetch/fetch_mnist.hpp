#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace gradus {

/// Options of `fetch_mnist`.
struct FetchMnistOptions {
  std::filesystem::path folder = {};                 ///< if empty, ~/.cache/gradus/mnist
  std::function<void(std::string_view)> print = {};  ///< a line for each file
};

/// Fetches the four files of MNIST and returns the folder that they are in. They come from the mirrors that
/// the environment variable GRADUS_MIRROR names, with blanks between them ("http://host/mnist
/// file:///media/mnist"), or else from the public ones. See fetch_file. Error for a mirror that is no
/// address.
std::filesystem::path fetch_mnist(const FetchMnistOptions& options);

/// The SHA-256 of what an IDX file holds, uncompressed, in hexadecimal. Error for what read_idx refuses.
std::string sha256_of_idx(const std::filesystem::path& path);

}  // namespace gradus
