#include "gradus/data/mnist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "gradus/data/idx.hpp"
#include "gradus/data/option_error.hpp"
#include "gradus/graph/shape.hpp"

namespace gradus {

const std::array<MnistFile, 4> mnist_files{
    {{"train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      47040016},
     {"train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 60008},
     {"t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 7840016},
     {"t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 10008}}};

const std::array<std::string_view, 2> mnist_mirrors{"https://ossci-datasets.s3.amazonaws.com/mnist/",
                                                    "https://storage.googleapis.com/cvdf-datasets/mnist/"};

namespace {

namespace fs = std::filesystem;

std::vector<std::string_view> all_names() {
  std::vector<std::string_view> names;
  for (const MnistFile& file : mnist_files) names.push_back(file.name);
  return names;
}

// Not fmt::join: with libfmt 9 it makes GCC 12 warn at -O3, falsely.
std::string join(std::span<const std::string_view> texts, std::string_view separator) {
  std::string joined;
  for (const std::string_view text : texts) joined.append(joined.empty() ? "" : separator).append(text);
  return joined;
}

std::vector<std::string_view> missing_files(const fs::path& directory) {
  std::vector<std::string_view> missing;
  std::ranges::copy_if(all_names(), std::back_inserter(missing),
                       [&](std::string_view name) { return !find_mnist_file(directory, name); });
  return missing;
}

/// Error unless the directory, which `source` named, holds the four files.
void require_files(const fs::path& directory, std::string_view source) {
  const auto refuse = [&](std::vector<std::string> options, std::string_view what) {
    throw OptionError(std::move(options),
                      fmt::format("{} '{}': {}\n{}", source, directory.string(), what, mnist_help()));
  };
  std::error_code error;
  const fs::file_status status = fs::status(directory, error);
  if (status.type() == fs::file_type::none)
    refuse({"data"}, fmt::format("it cannot be looked at: {}", error.message()));
  const bool is_directory = fs::is_directory(status);
  if (!is_directory && fs::exists(status))
    refuse({"data"}, "expected a directory, found a file; name the directory it is in");
  // Fetched to the usual place, they would not be found while another one is named.
  const std::string fetching = "fetch=mnist\ndata=" + directory.string();
  if (!is_directory) refuse({"data", fetching}, "there is no such directory");
  if (const auto missing = missing_files(directory); !missing.empty())
    refuse({"data", fetching}, fmt::format("there is no {} in it, plain or .gz", join(missing, ", no ")));
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

IdxFile read_bytes(const fs::path& path) {
  IdxFile idx = read_idx(path);
  if (idx.type != ElementType::u8)
    throw Error(
        fmt::format("MNIST file '{}': expected unsigned bytes, found {}; use the original MNIST files",
                    path.string(), name_of(idx.type)));
  return idx;
}

std::vector<std::uint8_t> take_images(const fs::path& path, IdxFile idx) {
  const auto& extents = idx.extents;
  if (extents.size() == 3 && extents[0] > 0 && extents[1] == Digits::side && extents[2] == Digits::side)
    return std::move(idx.values);
  throw Error(fmt::format("MNIST images '{}': expected extents [n, {}, {}] with n >= 1, found {}; {}",
                          path.string(), Digits::side, Digits::side, to_string(extents),
                          extents.size() == 1 ? "this looks like a labels file under the images' name"
                                              : "use the original MNIST files"));
}

std::vector<std::uint8_t> take_labels(const fs::path& path, IdxFile idx) {
  if (idx.extents.size() != 1)
    throw Error(fmt::format("MNIST labels '{}': expected extents [n], found {}; {}", path.string(),
                            to_string(idx.extents),
                            idx.extents.size() == 3 ? "this looks like an images file under the labels' name"
                                                    : "use the original MNIST files"));
  const auto wrong = std::ranges::find_if(idx.values, [](int label) { return label >= Digits::classes; });
  if (wrong != idx.values.end())
    throw Error(
        fmt::format("MNIST labels '{}', row {}: expected a label from 0 to {}, found {}; use the original "
                    "MNIST files",
                    path.string(), wrong - idx.values.begin(), Digits::classes - 1, *wrong));
  return std::move(idx.values);
}

Digits load_digits(const fs::path& images_path, const fs::path& labels_path) {
  Digits digits;
  digits.pixels = take_images(images_path, read_bytes(images_path));
  digits.labels = take_labels(labels_path, read_bytes(labels_path));
  digits.count = static_cast<std::int64_t>(digits.pixels.size()) / Digits::pixels_per_image;
  if (std::cmp_not_equal(digits.labels.size(), digits.count))
    throw Error(
        fmt::format("MNIST: expected as many labels as images, found {} images in '{}' and {} labels in "
                    "'{}'; take both from the same set, train or t10k",
                    digits.count, images_path.string(), digits.labels.size(), labels_path.string()));
  return digits;
}

}  // namespace

std::optional<fs::path> find_mnist_file(const fs::path& directory, std::string_view name) {
  std::string dotted(name);
  dotted[dotted.rfind("-idx")] = '.';
  for (const std::string_view extension : {"", ".gz"})
    for (const std::string_view spelling : {name, std::string_view(dotted)}) {
      fs::path path = directory / fmt::format("{}{}", spelling, extension);
      std::error_code error;
      const fs::file_status status = fs::status(path, error);
      if (fs::is_regular_file(status)) return path;
      if (status.type() == fs::file_type::none)
        throw Error(
            fmt::format("MNIST file '{}': it cannot be looked at: {}", path.string(), error.message()));
    }
  return std::nullopt;
}

std::optional<fs::path> mnist_cache() {
  const std::string home = environment("HOME");
  if (home.empty()) return std::nullopt;
  return fs::path(home) / ".cache" / "gradus" / "mnist";
}

std::optional<fs::path> mnist_folder() {
  if (std::string variable = environment("GRADUS_MNIST"); !variable.empty()) return variable;
  fs::path here = fs::path("data") / "mnist";
  return missing_files(here).empty() ? here : mnist_cache();
}

std::optional<fs::path> find_mnist(const std::string& folder) {
  if (!folder.empty()) {
    require_files(folder, "MNIST directory");
    return folder;
  }
  auto found = mnist_folder();
  if (!environment("GRADUS_MNIST").empty())
    require_files(*found, "GRADUS_MNIST");
  else if (found && !missing_files(*found).empty())
    found.reset();
  return found;
}

Mnist load_mnist(const fs::path& directory) {
  require_files(directory, "MNIST directory");
  const auto file = [&](std::size_t i) { return find_mnist_file(directory, mnist_files[i].name).value(); };
  return {.train = load_digits(file(0), file(1)), .test = load_digits(file(2), file(3))};
}

std::string mnist_help() {
  return fmt::format(
      "The MNIST data are four files, plain or with .gz:\n"
      "  {}\n"
      "Fetch them from {} or\n"
      "{} (each name with .gz) and put them into one directory:\n"
      "./data/mnist, ~/.cache/gradus/mnist, the one that the environment variable GRADUS_MNIST names,\n"
      "or any other that is given by its path\n",
      join(all_names(), "\n  "), mnist_mirrors[0], mnist_mirrors[1]);
}

}  // namespace gradus
