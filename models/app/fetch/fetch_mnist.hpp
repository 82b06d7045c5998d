#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace gradus {

/// Options of `fetch_mnist`.
struct FetchMnistOptions {
  std::filesystem::path folder = {};                 ///< if empty, mnist_folder(): where they are found
  std::function<void(std::string_view)> print = {};  ///< a line for each file
};

/// Fetches the four files of MNIST and returns the folder that they are in. They come from the mirrors that
/// the environment variable GRADUS_MIRROR names, with blanks between them ("http://host/mnist
/// file:///media/mnist"), or else from the public ones. See fetch_file. A right file under another of the
/// names that load_mnist reads is left as it is. Error for a mirror that is no address, and for a file that
/// load_mnist would read before the fetched one and that is not the original.
std::filesystem::path fetch_mnist(const FetchMnistOptions& options);

/// The SHA-256 of what an IDX file holds, uncompressed, in hexadecimal; for elements that are no unsigned
/// bytes, a sum that no file of unsigned bytes has. Error for what read_idx refuses.
std::string sha256_of_idx(const std::filesystem::path& path);

}  // namespace gradus
