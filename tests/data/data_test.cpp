#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "gradus/base/error.hpp"
#include "gradus/data/array.hpp"
#include "gradus/data/idx.hpp"
#include "gradus/data/mnist.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using Extents = std::vector<std::int64_t>;
using test::error_of;
using test::expect_parts;
using Parts = std::vector<std::string>;

/// The bytes of an IDX file with this header and data.
std::string idx_bytes(const std::vector<std::uint32_t>& extents, std::string_view data, char type = 8) {
  std::string bytes = {0, 0, type, static_cast<char>(extents.size())};
  for (const std::uint32_t extent : extents)
    for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(extent >> shift & 0xFFU);
  return bytes.append(data);
}

std::string gzip(std::string contents) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, contents.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(contents.data());
  stream.avail_in = static_cast<uInt>(contents.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// Bytes that deflate cannot make shorter.
std::string noise(std::size_t size) {
  std::string bytes;
  std::uint32_t x = 1;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>((x = x * 1664525 + 1013904223) >> 24U);
  return bytes;
}

std::string flip(std::string bytes, std::size_t offset) {
  bytes.at(offset) = static_cast<char>(bytes.at(offset) ^ 0x55);
  return bytes;
}

std::string drop(const std::string& bytes, std::size_t count) {
  return bytes.substr(0, bytes.size() - count);
}

class DataTest : public test::FolderTest {
 protected:
  IdxFile read(const std::string& bytes) const { return read_idx(write("file", bytes)); }
};

using IdxTest = DataTest;

TEST_F(IdxTest, ReadsPlainAndCompressedFiles) {
  const std::string bytes = idx_bytes({2, 3}, std::string("\0\1\2\xFD\xFE\xFF", 6));
  for (const std::string& file : {bytes, gzip(bytes), gzip(bytes.substr(0, 7)) + gzip(bytes.substr(7))}) {
    const IdxFile idx = read(file);
    EXPECT_EQ(idx.extents, (Extents{2, 3}));
    EXPECT_EQ(idx.values, (std::vector<std::uint8_t>{0, 1, 2, 253, 254, 255}));
  }
}

TEST_F(IdxTest, ReadsManyChunks) {
  const std::string data = noise(300001);
  const std::vector<std::uint8_t> expected(data.begin(), data.end());
  const std::string bytes = idx_bytes({300001}, data);
  EXPECT_EQ(read(bytes).values, expected);
  EXPECT_EQ(read(gzip(bytes)).values, expected);
  EXPECT_EQ(read(gzip(idx_bytes({1000000}, std::string(1000000, '\7')))).values,
            std::vector<std::uint8_t>(1000000, 7));
}

TEST_F(IdxTest, ReadsEmptyExtentsAndHighRanks) {
  for (const std::string& file : {idx_bytes({0}, ""), gzip(idx_bytes({0}, ""))})
    EXPECT_EQ(read(file).extents, Extents{0});
  constexpr std::uint32_t huge = 0xFFFFFFFF;
  EXPECT_EQ(read(idx_bytes({huge, huge, huge, 0}, "")).extents, (Extents{huge, huge, huge, 0}));
  EXPECT_EQ(read(idx_bytes(std::vector<std::uint32_t>(255, 1), "x")).extents.size(), 255U);
}

// The values of each type, big-endian in the file, as NumPy writes them with astype('>…').
TEST_F(IdxTest, ReadsEveryElementType) {
  struct Row {
    char code;
    ElementType type;
    std::string data;
    std::vector<double> values;
  };
  const std::vector<Row> rows{
      {0x08, ElementType::u8, "\x01\xFF", {1, 255}},
      {0x09, ElementType::i8, "\x01\xFF", {1, -1}},
      {0x0B, ElementType::i16, std::string("\x01\x02\xFF\xFE", 4), {258, -2}},
      {0x0C, ElementType::i32, std::string("\0\1\0\0\xFF\xFF\xFF\xFE", 8), {65536, -2}},
      {0x0D, ElementType::f32, std::string("\x3F\xC0\0\0\xC0\0\0\0", 8), {1.5, -2}},
      {0x0E, ElementType::f64, std::string("\x3F\xF8\0\0\0\0\0\0\xC0\0\0\0\0\0\0\0", 16), {1.5, -2}}};
  for (const Row& row : rows)
    for (const bool packed : {false, true}) {
      const std::string bytes = idx_bytes({2}, row.data, row.code);
      const Array array = read_array(write("file", packed ? gzip(bytes) : bytes));
      EXPECT_EQ(array.tensor.type, row.type);
      std::vector<double> values(2);
      convert(array.tensor, 0, values);
      EXPECT_EQ(values, row.values) << name_of(row.type);
    }
}

struct Broken {
  std::string name;
  std::string bytes;
  Parts parts;
};

TEST_F(IdxTest, RefusesBrokenFiles) {
  const std::string good = idx_bytes({10, 10}, noise(100));
  const std::string packed = gzip(good);
  const auto typed = [](char type) { return idx_bytes({1}, "12345678", type); };
  constexpr std::uint32_t huge = 0xFFFFFFFF;
  const std::vector<Broken> cases = {
      {"empty", "", {"byte 0 (magic number)", "expected 4 bytes", "ends after 0", "fetch it again"}},
      {"half a magic number", good.substr(0, 2), {"byte 0 (magic number)", "ends after 2"}},
      {"one byte of gzip", "\x1F", {"byte 0 (magic number)", "ends after 1"}},
      {"gzip magic alone", "\x1F\x8B", {"byte 2 of the compressed file", "ends early"}},
      {"web page", "<!DOCTYPE html>", {"magic number", "found 3c 21 44 4f", "web page"}},
      {"zip archive", "PK\3\4abcdef", {"magic number", "zip archive: unpack it"}},
      {"packed twice", gzip(packed), {"magic number", "found 1f 8b", "run gunzip once"}},
      {"text", "label,pixel\n5,0\n", {"magic number", "expected 00 00 08", "check that this is an IDX file"}},
      {"second byte", flip(good, 1), {"magic number", "found 00 55 08 02"}},
      {"packed text", gzip("label,pixel\n"), {"byte 0 (magic number)", "found 6c 61"}},
      {"doubles cut",
       idx_bytes({2}, "12345678", 0x0E),
       {"byte 8 (data)", "2 x 8 bytes each = 16 bytes", "holds 8"}},
      {"integers and a byte", idx_bytes({2}, "12345", 0x0B), {"byte 12", "trailing bytes"}},
      {"2^61 doubles", gzip(idx_bytes({1U << 31U, 1U << 30U}, "", 0x0E)), {"below 2^63"}},
      {"unknown type", typed(0x0A), {"0x0a (no IDX type)"}},
      {"rank 0", idx_bytes({}, "x"), {"byte 3 (rank)", "at least 1, found 0"}},
      {"no extents", good.substr(0, 4), {"byte 4 (extent 0 of 2)", "ends after 0"}},
      {"half an extent", good.substr(0, 10), {"byte 8 (extent 1 of 2)", "expected 4 bytes", "ends after 2"}},
      {"half an extent, packed", gzip(good.substr(0, 10)), {"byte 8 (extent 1 of 2)", "ends after 2"}},
      {"no data", good.substr(0, 12), {"byte 12 (data)", "10 x 10 = 100 bytes", "holds 0"}},
      {"last byte gone", drop(good, 1), {"byte 12 (data)", "100 bytes", "holds 99"}},
      {"last byte gone, packed", gzip(drop(good, 1)), {"byte 12 (data)", "end after 99"}},
      {"trailing byte", good + "x", {"byte 112", "extents are 10 x 10", "trailing bytes"}},
      {"trailing byte, packed", gzip(good + "x"), {"byte 112", "trailing bytes"}},
      {"trailing zeros", good + std::string(3, '\0'), {"byte 112", "trailing bytes"}},
      {"2^40 items", idx_bytes({256, huge}, "x"), {"256 x 4294967295 = 1099511627520 bytes", "holds 1"}},
      {"2^40 items, packed", gzip(idx_bytes({256, huge}, "x")), {"= 1099511627520", "cannot hold more than"}},
      {"2^96 items", idx_bytes({huge, huge, huge}, "x"), {"byte 4 (extents)", "below 2^63"}},
      {"2^64 items, packed", gzip(idx_bytes({65536, 65536, 65536, 65536}, "")), {"below 2^63", "65536 x"}},
      {"10^9 items of 10^6", gzip(idx_bytes({1000000000}, std::string(1000000, 'x'))), {"byte 8 (data)"}},
      {"stream cut", drop(packed, 20), {"of the compressed file", "ends early", "incomplete"}},
      {"checksum cut", drop(packed, 8), {"of the compressed file", "after 112 bytes of contents"}},
      {"last byte cut", drop(packed, 1), {"ends early"}},
      {"checksum wrong", flip(packed, packed.size() - 6), {"corrupt (incorrect data check)"}},
      {"length wrong", flip(packed, packed.size() - 1), {"corrupt (incorrect length check)"}},
      {"data flipped", flip(packed, 60), {"IDX file"}},
      {"block type", packed.substr(0, 10) + "\x07" + packed.substr(11), {"corrupt (invalid block type)"}},
      {"method", flip(packed, 2), {"corrupt (unknown compression method)"}},
      {"bytes after the stream", packed + "junk", {"of the compressed file", "no trailing bytes"}},
      {"zeros after the stream", packed + std::string(4, '\0'), {"no trailing bytes"}},
      {"half a second member", packed + "\x1F\x8B\x08", {"ends early"}},
      {"broken second member", packed + "\x1F\x8C", {"corrupt (incorrect header check)"}},
      {"second member", packed + packed, {"byte 112", "trailing bytes"}},
  };
  for (const Broken& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string message = error_of([&] { read(c.bytes); });
    expect_parts(message, c.parts);
    expect_parts(message, {"IDX file '" + (folder_ / "file").string() + "', "});
  }
}

// No cut and no flipped bit of a compressed file may crash, hang or give other values.
TEST_F(IdxTest, AnyDamageIsAnErrorOrHarmless) {
  const std::string good = idx_bytes({300}, noise(100) + std::string(200, 'a'));
  const auto expected = read(good).values;
  const std::string packed = gzip(good);
  for (std::size_t i = 0; i < packed.size(); ++i) {
    EXPECT_THROW(read(packed.substr(0, i)), Error) << i;
    try {
      EXPECT_EQ(read(flip(packed, i)).values, expected)
          << i;  // time stamp and operating system of the gzip header
    } catch (const Error&) {
    }
  }
}

TEST_F(IdxTest, RefusesWhatIsNoFile) {
  expect_parts(error_of([&] { read_idx(folder_ / "none"); }), {"none'", "no such file", "check the path"});
  expect_parts(error_of([&] { read_idx(folder_); }), {folder_.string(), "found a directory"});
  expect_parts(error_of([&] { read_idx("/dev/null"); }), {"/dev/null", "expected a regular file"});
  expect_parts(error_of([&] { read_idx(write("file", "x") + "/below"); }), {"no such file"});
  expect_parts(error_of([&] { read_idx(""); }), {"no such file"});
  const fs::path secret = write("secret", "x");
  fs::permissions(secret, fs::perms::none);
  if (!std::ifstream(secret)) expect_parts(error_of([&] { read_idx(secret); }), {"ermission", "may read it"});
}

/// Sets an environment variable (or removes it) for as long as it lives.
class Environment {
 public:
  Environment(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    set(value);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { set(old_); }

 private:
  void set(const std::optional<std::string>& value) const {
    value ? setenv(name_, value->c_str(), 1) : unsetenv(name_);
  }
  const char* name_;
  std::optional<std::string> old_;
};

class WorkingDirectory {
 public:
  explicit WorkingDirectory(const fs::path& path) : old_(fs::current_path()) { fs::current_path(path); }
  WorkingDirectory(const WorkingDirectory&) = delete;
  WorkingDirectory& operator=(const WorkingDirectory&) = delete;
  ~WorkingDirectory() { fs::current_path(old_); }

 private:
  fs::path old_;
};

class MnistTest : public DataTest {
 protected:
  static std::string images(std::uint32_t count) {
    return idx_bytes({count, 28, 28}, noise(std::size_t{784} * count));
  }
  static std::string labels(std::string_view digits) {
    return idx_bytes({static_cast<std::uint32_t>(digits.size())}, digits);
  }
  /// The four files, two images to train on and one to test.
  fs::path write_set(const std::string& name = "set") const {
    write(name + "/train-images-idx3-ubyte", images(2));
    write(name + "/train-labels-idx1-ubyte.gz", gzip(labels("\x09\x03")));
    write(name + "/t10k-images.idx3-ubyte", images(1));
    write(name + "/t10k-labels.idx1-ubyte.gz", gzip(labels("\x07")));
    return folder_ / name;
  }
};

TEST_F(MnistTest, LoadsEverySpelling) {
  const Mnist mnist = load_mnist(write_set());
  EXPECT_EQ(mnist.train.count, 2);
  EXPECT_EQ(mnist.train.labels, (std::vector<std::uint8_t>{9, 3}));
  const std::string pixels = noise(1568);
  EXPECT_EQ(mnist.train.pixels, std::vector<std::uint8_t>(pixels.begin(), pixels.end()));
  EXPECT_EQ(mnist.test.count, 1);
  EXPECT_EQ(mnist.test.labels, std::vector<std::uint8_t>{7});
  EXPECT_EQ(mnist.test.pixels.size(), 784U);
}

TEST_F(MnistTest, RefusesBrokenSets) {
  struct Case {
    std::string name;
    std::string file;
    std::string bytes;
    Parts parts;
  };
  const std::vector<Case> cases = {
      {"labels as images", "train-images-idx3", labels("\1\2"), {"train-images", "[n, 28, 28]", "labels"}},
      {"images as labels", "train-labels-idx1", images(2), {"train-labels", "[2, 28, 28]", "images file"}},
      {"matrix as labels", "train-labels-idx1", idx_bytes({2, 1}, "\1\2"), {"[n]", "[2, 1]", "original"}},
      {"27 rows", "t10k-images-idx3", idx_bytes({1, 27, 28}, noise(756)), {"t10k", "[1, 27, 28]"}},
      {"29 columns", "t10k-images-idx3", idx_bytes({1, 28, 29}, noise(812)), {"[1, 28, 29]"}},
      {"flat images", "t10k-images-idx3", idx_bytes({1, 784}, noise(784)), {"found [1, 784]"}},
      {"no images", "train-images-idx3", images(0), {"n >= 1", "[0, 28, 28]"}},
      {"more labels", "t10k-labels-idx1", labels("\1\2"), {"1 images in", "2 labels in", "same set"}},
      {"fewer labels", "train-labels-idx1", labels("\1"), {"found 2 images in", "1 labels in"}},
      {"no labels", "t10k-labels-idx1", labels(""), {"1 images in", "0 labels in"}},
      {"label 10", "train-labels-idx1", labels("\1\x0A"), {"row 1", "from 0 to 9, found 10"}},
      {"label 255", "train-labels-idx1", labels("\xFF\1"), {"row 0", "found 255"}},
      {"floats", "train-labels-idx1", idx_bytes({2}, "12345678", 0x0D), {"unsigned bytes", "F32"}},
      {"damaged", "t10k-images-idx3", drop(images(1), 5), {"t10k-images", "byte 16 (data)", "holds 779"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const fs::path set = write_set("broken");
    write("broken/" + c.file + "-ubyte", c.bytes);  // goes before the other spellings
    expect_parts(error_of([&] { load_mnist(set); }), c.parts);
    fs::remove_all(set);
  }
}

TEST_F(MnistTest, NamesTheFilesThatAreMissing) {
  const fs::path set = write_set();
  fs::remove(set / "t10k-images.idx3-ubyte");
  fs::create_directory(set / "t10k-images-idx3-ubyte");  // a directory is not the file
  for (const std::string& message :
       {error_of([&] { load_mnist(set); }), error_of([&] { find_mnist(set.string()); })}) {
    expect_parts(message, {"there is no t10k-images-idx3-ubyte in it", mnist_help()});
    EXPECT_EQ(message.find("no train"), std::string::npos);
  }
  expect_parts(error_of([&] { load_mnist(folder_ / "none"); }), {"none'", "no such directory"});
}

TEST_F(MnistTest, LooksInTheOrderThatIsDocumented) {
  const fs::path option = write_set("option");
  const fs::path variable = write_set("variable");
  const fs::path cache = write_set("home/.cache/gradus/mnist");
  const WorkingDirectory here(folder_);
  const Environment home("HOME", (folder_ / "home").string());
  {
    const Environment set("GRADUS_MNIST", variable.string());
    EXPECT_EQ(find_mnist(option.string()), option);
    EXPECT_EQ(find_mnist(""), variable);
  }
  {
    const Environment wrong("GRADUS_MNIST", (folder_ / "none").string());
    expect_parts(error_of([] { find_mnist(""); }), {"GRADUS_MNIST '", "no such directory"});
    EXPECT_EQ(find_mnist(option.string()), option);
  }
  const Environment unset("GRADUS_MNIST", std::nullopt);
  EXPECT_EQ(find_mnist(""), cache);
  write_set("data/mnist");
  EXPECT_EQ(find_mnist(""), fs::path("data/mnist"));
  fs::remove(folder_ / "data/mnist/train-images-idx3-ubyte");
  EXPECT_EQ(find_mnist(""), cache);  // an incomplete default place is passed over
  const Environment homeless("HOME", std::nullopt);
  EXPECT_EQ(find_mnist(""), std::nullopt);

  expect_parts(error_of([&] { find_mnist("none"); }),
               {"MNIST directory 'none'", "no such directory", mnist_help()});
  expect_parts(error_of([&] { find_mnist((option / "train-images-idx3-ubyte").string()); }),
               {"MNIST directory", "expected a directory, found a file"});
}

TEST(MnistHelp, SaysWhatToDo) {
  expect_parts(mnist_help(),
               {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                "t10k-labels-idx1-ubyte", "GRADUS_MNIST", "./data/mnist", "~/.cache/gradus/mnist"});
}

std::uint64_t sum(const std::vector<std::uint8_t>& values) {
  return std::accumulate(values.begin(), values.end(), std::uint64_t{0});
}

std::uint64_t checksum(const std::vector<std::uint8_t>& values) {
  return crc32_z(crc32_z(0, nullptr, 0), values.data(), values.size());
}

TEST(MnistFiles, AreTheOriginalOnes) {
  const auto directory = find_mnist("");
  if (!directory) GTEST_SKIP() << "no MNIST files.\n" << mnist_help();
  const auto [train, test] = load_mnist(*directory);
  EXPECT_EQ(train.count, 60000);
  EXPECT_EQ(test.count, 10000);
  EXPECT_EQ(std::vector(train.labels.begin(), train.labels.begin() + 5),
            (std::vector<std::uint8_t>{5, 0, 4, 1, 9}));
  EXPECT_EQ(std::vector(test.labels.begin(), test.labels.begin() + 5),
            (std::vector<std::uint8_t>{7, 2, 1, 0, 4}));
  EXPECT_EQ(sum(train.pixels), 1567298545U);
  EXPECT_EQ(sum(test.pixels), 264923200U);
  EXPECT_EQ(std::ranges::count(train.labels, 1), 6742);
  EXPECT_EQ(std::ranges::count(test.labels, 1), 1135);
  EXPECT_EQ(checksum(train.pixels), 0xf3639b56U);
  EXPECT_EQ(checksum(train.labels), 0xba07e8efU);
  EXPECT_EQ(checksum(test.pixels), 0xe4ca5f57U);
  EXPECT_EQ(checksum(test.labels), 0xee8604d9U);
}

}  // namespace
}  // namespace gradus
