#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// Images of handwritten digits, 28 x 28 pixels each, and what they show.
struct Digits {
  static constexpr std::int64_t side = 28;                       ///< of an image, in pixels
  static constexpr std::int64_t pixels_per_image = side * side;  ///< row-major
  static constexpr int classes = 10;                             ///< the digits

  std::int64_t count = 0;            ///< how many images there are
  std::vector<std::uint8_t> pixels;  ///< count x 784, row by row; 0 is background, 255 is ink
  std::vector<std::uint8_t> labels;  ///< count; 0 to 9
};

/// MNIST's images. Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
struct Mnist {
  Digits train;  ///< 60000 of them, when the files are the original ones
  Digits test;   ///< 10000
};

/// One of the four files that the set consists of.
struct MnistFile {
  std::string_view name;    ///< without .gz
  std::string_view sha256;  ///< of the original's contents, uncompressed: however it was compressed
  std::int64_t bytes;       ///< that these contents have
};
/// Images and labels for training, then those for testing.
extern const std::array<MnistFile, 4> mnist_files;

/// Public places of the four files, each with .gz: what their addresses begin with.
extern const std::array<std::string_view, 2> mnist_mirrors;

/// The file of this name that load_mnist reads from the directory, or nothing when there is none: a plain one
/// before a compressed one, and of both the name as it is before the dotted one.
std::optional<std::filesystem::path> find_mnist_file(const std::filesystem::path& directory,
                                                     std::string_view name);

/// ~/.cache/gradus/mnist, where the files are looked for last; nothing without a home.
std::optional<std::filesystem::path> mnist_cache();

/// The directory that find_mnist looks into when none is named, whether it is complete or not: GRADUS_MNIST,
/// or a complete one, or else mnist_cache(). Files that are put there are found.
std::optional<std::filesystem::path> mnist_folder();

/// The directory that holds the four MNIST files, or nothing when there is none.
///
/// The first of these that is not empty is taken: `folder`, the environment variable GRADUS_MNIST.
/// OptionError about "data" when it is no directory with the four files. Without either the first complete
/// one of ./data/mnist and ~/.cache/gradus/mnist.
std::optional<std::filesystem::path> find_mnist(const std::string& folder);

/// Reads the four MNIST files from a directory, with any number of images.
///
/// They are train-images-idx3-ubyte, train-labels-idx1-ubyte and the same of t10k, each plain or with .gz, or
/// written with a dot as in train-images.idx3-ubyte.
/// Error for what read_idx refuses; a missing file; images that are not n x 28 x 28 or none at all; labels
/// that are not a vector (images and labels mixed up); different numbers of both; a label above 9.
Mnist load_mnist(const std::filesystem::path& directory);

/// How to get the files and where to put them, in a few lines; ends with a line break.
std::string mnist_help();

}  // namespace gradus
