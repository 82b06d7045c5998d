// Fuzzes load_mnist: whatever bytes the four files hold, they are a set of digits that fits together or are
// refused with gradus::Error. An input is the four files one after the other, with "\n~~\n" between them: a
// separator stays in its place when a mutation makes a file longer, which a length in front would not.
//
// The long run (clang and its fuzzer library: Debian's clang and libclang-rt-14-dev):
//
//   cmake --preset release -B build/fuzz -DCMAKE_CXX_COMPILER=clang++ -DGRADUS_FUZZERS=ON -DGRADUS_WERROR=OFF
//   cmake --build build/fuzz --target mnist_fuzzer
//   cd build/fuzz && mkdir -p mnist && export ASAN_OPTIONS=quarantine_size_mb=16
//   limits="-max_len=4096 -timeout=5 -rss_limit_mb=256 -malloc_limit_mb=64"
//   nice tests/fuzzers/mnist_fuzzer $limits -runs=5000000 mnist ../../tests/fuzzers/corpus/mnist
//
// It stops at the first finding and writes the input to a file, which the program replays when it is given
// its name. What is worth keeping goes into corpus/mnist, which mnist_replay runs as a test.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "gradus/base/error.hpp"
#include "gradus/data/idx.hpp"
#include "gradus/data/mnist.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSeparator = "\n~~\n";
// Each of the four spellings; what is compressed is told by the contents.
constexpr std::array<const char*, 4> kNames = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz",
                                               "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte.gz"};

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "finding: %s\n", what);
  std::abort();
}

/// A directory for the four files, in memory where there is such a place: a disk would be the slowest part.
class Scratch {
 public:
  Scratch() {
    const fs::path memory = "/dev/shm";
    std::error_code ignored;
    std::string pattern =
        ((fs::is_directory(memory, ignored) ? memory : fs::temp_directory_path()) / "gradus-fuzz-XXXXXX")
            .string();
    require(mkdtemp(pattern.data()) != nullptr, "no directory can be made");
    path_ = pattern;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      files_[i] = open((path_ / kNames[i]).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
      require(files_[i] >= 0, "no file can be made");
    }
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    for (const int file : files_) close(file);
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }
  fs::path path(std::size_t file) const { return path_ / kNames[file]; }
  /// Opening the files anew each time would be the slowest part.
  void hold(std::size_t file, std::string_view bytes) const {
    const auto size = static_cast<ssize_t>(bytes.size());
    require(ftruncate(files_[file], size) == 0 && pwrite(files_[file], bytes.data(), bytes.size(), 0) == size,
            "a file cannot be written");
  }

 private:
  fs::path path_;
  std::array<int, kNames.size()> files_{};
};

/// The first file of `input`, which keeps the others.
std::string_view take_file(std::string_view& input) {
  const std::size_t end = input.find(kSeparator);
  const std::string_view file = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + kSeparator.size());
  return file;
}

/// The oracle: whether the two files, each good by itself, are a set of digits.
bool fits_together(const IdxFile& images, const IdxFile& labels) {
  const auto& extents = images.extents;
  return images.type == ElementType::u8 && labels.type == ElementType::u8 && extents.size() == 3 &&
         extents[0] > 0 && extents[1] == 28 && extents[2] == 28 && labels.extents.size() == 1 &&
         labels.extents[0] == extents[0] &&
         std::ranges::all_of(labels.values, [](int label) { return label < 10; });
}

bool holds(const Digits& digits, const IdxFile& images, const IdxFile& labels) {
  return digits.count == images.extents[0] && digits.pixels == images.values &&
         digits.labels == labels.values;
}

void fuzz(std::string_view input) {
  static const Scratch scratch;
  for (std::size_t i = 0; i < kNames.size(); ++i) scratch.hold(i, take_file(input));

  std::optional<Mnist> mnist;
  try {
    mnist = load_mnist(scratch.path());
  } catch (const Error& error) {
    require(std::string_view(error.what()).find(scratch.path().string()) != std::string_view::npos,
            "the message does not name a file");
  }
  std::array<IdxFile, 4> files;
  try {
    for (std::size_t i = 0; i < kNames.size(); ++i) files[i] = read_idx(scratch.path(i));
  } catch (const Error&) {
    require(!mnist, "a set is taken though one of its files is refused");
    return;
  }
  require(mnist.has_value() == (fits_together(files[0], files[1]) && fits_together(files[2], files[3])),
          "sets that fit together are taken, and no others");
  if (mnist)
    require(holds(mnist->train, files[0], files[1]) && holds(mnist->test, files[2], files[3]),
            "a set is not what its files hold");
}

}  // namespace
}  // namespace gradus

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gradus::fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
