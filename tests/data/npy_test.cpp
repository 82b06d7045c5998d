// NPY files: what is written is read back bit for bit, and whatever is broken is refused by its place, in
// memory that the file's size bounds.
#include "gradus/data/npy.hpp"

#include <cmath>
#include <cstring>

#include "tests/support/broken_files.hpp"

namespace gradus {
namespace {

using test::BrokenFile;
using test::little_endian;
using testing::HasSubstr;

using Npy = test::FolderTest;

// A file of this version with this dictionary and data.
std::string npy(const std::string& dictionary, const std::string& data, int version = 1,
                std::optional<std::uint32_t> length = {}) {
  return "\x93NUMPY" + std::string{static_cast<char>(version), '\0'} +
         little_endian(length.value_or(static_cast<std::uint32_t>(dictionary.size())), version == 1 ? 2 : 4) +
         dictionary + data;
}

std::string dictionary(const std::string& type, const std::string& shape,
                       const std::string& order = "False") {
  return "{'descr': " + type + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

std::string bytes_of_values(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<double> doubles(const TensorBytes& tensor) {
  std::vector<double> values(tensor.count());
  convert(tensor, 0, values);
  return values;
}

TEST_F(Npy, AllVersionsAreMappedAndNotCopied) {
  const std::vector<float> numbers{1.5F, -0.0F, 3e-45F, INFINITY, -2, 7};
  for (const int version : {1, 2, 3}) {
    std::string text = dictionary("'<f4'", "(2, 3)");
    text.insert(text.size() - 1, (64 - (text.size() + (version == 1 ? 10 : 12)) % 64) % 64, ' ');
    write(npy(text, bytes_of_values(numbers), version));
    const NpyFile read(file());
    EXPECT_EQ(read.tensor().type, ElementType::f32);
    EXPECT_EQ(read.tensor().extents, (Extents{2, 3}));
    ASSERT_EQ(read.values<float>().size(), 6U);
    EXPECT_EQ(std::memcmp(read.values<float>().data(), numbers.data(), 24), 0);
    EXPECT_EQ(static_cast<const void*>(read.values<float>().data()), read.tensor().bytes.data());
    EXPECT_THAT(test::error_of([&] { read.values<double>(); }), HasSubstr("the array is F32, not F64"));
  }
}

TEST_F(Npy, OtherSpellingsOfTheHeaderAreRead) {
  write(npy(R"({ "shape" : ( 2 , ) ,"fortran_order":False,'descr':'|u1'})", "\1\2"));
  EXPECT_EQ(doubles(NpyFile(file()).tensor()), (std::vector<double>{1, 2}));
  write(npy("{'descr': '<u1', 'fortran_order': False, 'shape': ()}", "\xFF"));
  EXPECT_EQ(doubles(NpyFile(file()).tensor()), std::vector<double>{255});
  write(npy(dictionary("'<f8'", "(0, 3)"), ""));
  EXPECT_EQ(NpyFile(file()).tensor().extents, (Extents{0, 3}));
  // Elements behind a header of odd length are no floats in memory, but can be converted.
  write(npy(dictionary("'<f4'", "(1,)") + "  ", bytes_of_values({2.5F})));
  const NpyFile odd(file());
  EXPECT_EQ(doubles(odd.tensor()), std::vector<double>{2.5});
}

// The shapes as Python 2 wrote them, too.
TEST_F(Npy, LongExtentsAreRead) {
  for (const char* shape : {"(2L, 3L)", "(2, 3L)", "(2L,3L,)"}) {
    write(npy(dictionary("'<f4'", shape), bytes_of_values({1, 2, 3, 4, 5, 6})));
    EXPECT_EQ(NpyFile(file()).tensor().extents, (Extents{2, 3})) << shape;
  }
}

// Elements whose order in the file is by columns come by rows, of any type and any number of axes; where both
// orders are one, nothing is copied.
TEST_F(Npy, FortranOrderIsTransposed) {
  const std::vector<std::pair<std::vector<std::int64_t>, bool>> shapes{
      {{}, false},       {{5}, false},         {{1, 4, 1}, false}, {{2, 3}, true},
      {{3, 2, 4}, true}, {{2, 1, 3, 2}, true}, {{0, 3}, true},     {{2, 3, 2, 2, 2}, true}};
  for (const auto& [extents, copied] : shapes) {
    std::string shape = "(";
    std::size_t count = 1;
    for (const std::int64_t extent : extents) {
      shape += std::to_string(extent) + ",";
      count *= static_cast<std::size_t>(extent);
    }
    // The element at an index has the number that it has by rows.
    std::string data(2 * count, '\0');
    for (std::size_t number = 0; number < count; ++number) {
      std::size_t rest = number, at = 0;
      std::vector<std::size_t> index(extents.size());
      for (std::size_t axis = extents.size(); axis-- > 0; rest /= static_cast<std::size_t>(extents[axis]))
        index[axis] = rest % static_cast<std::size_t>(extents[axis]);
      for (std::size_t axis = extents.size(); axis-- > 0;)
        at = at * static_cast<std::size_t>(extents[axis]) + index[axis];
      data.replace(2 * at, 2, little_endian(number, 2));
    }
    const std::string bytes = npy(dictionary("'<i2'", shape + ")", "True"), data);
    const Array array = parse_npy(bytes, "place");
    EXPECT_EQ(array.owner != nullptr, copied) << shape;
    EXPECT_EQ(array.tensor.extents, extents);
    write(bytes);
    std::vector<double> expected(count);
    for (std::size_t i = 0; i < count; ++i) expected[i] = static_cast<double>(i);
    EXPECT_EQ(doubles(NpyFile(file()).tensor()), expected) << shape;
  }
}

TEST_F(Npy, EveryTypeIsConverted) {
  const std::vector<std::pair<std::string, std::string>> minus_one_and_max{
      {"|b1", std::string("\0\2", 2)},
      {"|u1", "\1\xFF"},
      {"|i1", "\xFF\x7F"},
      {"<u2", std::string("\1\0\xFF\xFF", 4)},
      {"<i2", "\xFF\xFF\xFF\x7F"},
      {"<f2", std::string("\0\xBC\1\0", 4)},
      {"<u4", std::string("\1\0\0\0", 4) + "\xFF\xFF\xFF\xFF"},
      {"<i4", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"},
      {"<f4", bytes_of_values({-1, 0.5F})},
      {"<u8", little_endian(1, 8) + little_endian(std::uint64_t{1} << 53U, 8)},
      {"<i8", little_endian(~std::uint64_t{0}, 8) + little_endian(std::uint64_t{1} << 52U, 8)},
      {"<f8", little_endian(std::bit_cast<std::uint64_t>(-1.0), 8) +
                  little_endian(std::bit_cast<std::uint64_t>(0.1), 8)}};
  const std::vector<std::vector<double>> expected{{0, 1},
                                                  {1, 255},
                                                  {-1, 127},
                                                  {1, 65535},
                                                  {-1, 32767},
                                                  {-1, std::ldexp(1.0, -24)},
                                                  {1, 4294967295},
                                                  {-1, 2147483647},
                                                  {-1, 0.5},
                                                  {1, std::ldexp(1.0, 53)},
                                                  {-1, std::ldexp(1.0, 52)},
                                                  {-1, 0.1}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& [type, data] = minus_one_and_max[i];
    write(npy(dictionary("'" + type + "'", "(2,)"), data));
    const NpyFile read(file());
    EXPECT_EQ(doubles(read.tensor()), expected[i]) << type;
    // Written again, it has the same type and bytes.
    write_npy(file("again"), read.tensor());
    const NpyFile again(file("again"));
    EXPECT_EQ(again.tensor().type, read.tensor().type);
    EXPECT_TRUE(std::ranges::equal(again.tensor().bytes, read.tensor().bytes)) << type;
    EXPECT_EQ((std::filesystem::file_size(file("again")) - data.size()) % 64, 0U) << "not aligned";
  }
}

TEST_F(Npy, HalfPrecisionHasAllItsNumbers) {
  const std::vector<std::pair<int, double>> known{
      {0x3C00, 1},           {0xC000, -2},       {0x7BFF, 65504},     {0x0400, 0x1p-14},
      {0x03FF, 0x1.FF8p-15}, {0x7C00, INFINITY}, {0xFC00, -INFINITY}, {0x3555, 0.333251953125}};
  for (const auto& [bits, value] : known) {
    write(npy(dictionary("'<f2'", "()"), little_endian(static_cast<std::uint64_t>(bits), 2)));
    EXPECT_EQ(doubles(NpyFile(file()).tensor()).front(), value);
  }
  write(npy(dictionary("'<f2'", "()"), "\xFF\x7F"));
  EXPECT_TRUE(std::isnan(doubles(NpyFile(file()).tensor()).front()));
}

TEST_F(Npy, WriterRefusesWhatNumPyHasNot) {
  const std::vector<float> one{1};
  TensorBytes tensor = tensor_bytes("a", {1}, one);
  tensor.extents = {2};
  EXPECT_THAT(test::error_of([&] { write_npy(file(), tensor); }),
              HasSubstr("F32 [2] does not fit its 4 bytes"));
  tensor.extents.assign(65, 1);
  EXPECT_THAT(test::error_of([&] { write_npy(file(), tensor); }), HasSubstr("65 axes"));
  tensor.extents = {2};
  tensor.type = ElementType::bf16;
  EXPECT_THAT(test::error_of([&] { write_npy(file(), tensor); }), HasSubstr("no BF16; convert it to F32"));
  EXPECT_FALSE(std::filesystem::exists(file()));
}

const std::vector<BrokenFile>& broken() {
  const std::string eight(8, '\1');
  const auto typed = [&](const std::string& type) { return npy(dictionary(type, "(2,)"), eight); };
  const auto shaped = [&](const std::string& shape) { return npy(dictionary("'<f4'", shape), eight); };
  static const std::vector<BrokenFile> all{
      {"Empty", "", {"byte 0", "\\x93NUMPY"}},
      {"Text", "1,2\n3,4\n", {"byte 0"}},
      {"MagicCut", "\x93NUM", {"byte 0"}},
      {"VersionCut", "\x93NUMPY\1", {"byte 6", "version"}},
      {"Version0", npy(dictionary("'<f4'", "(2,)"), eight, 0), {"byte 6", "version 0"}},
      {"Version4", npy(dictionary("'<f4'", "(2,)"), eight, 4), {"byte 6", "version 4"}},
      {"LengthCut", std::string("\x93NUMPY\2\0\x10", 9), {"byte 8", "length"}},
      {"HeaderLargerThanFile", npy("{}", "", 1, 0xFFFF), {"byte 8", "65535 bytes, but 2 follow"}},
      {"HeaderOf4Gigabytes", npy("{}", "", 2, 0xFFFFFFFF), {"byte 8", "4294967295 bytes"}},
      {"HeaderOfSpaces", npy(std::string(100000, ' '), "", 2), {"byte 8", "100000 bytes, more than any"}},
      {"NoDictionary", npy("hello", ""), {"byte 10", "{"}},
      {"DictionaryCut", npy("{'descr': '<f4'", ""), {"byte 25", "}"}},
      {"KeyNotClosed", npy("{'descr", ""), {"byte 11", "not closed"}},
      {"KeyWithoutQuotes", npy("{descr: 1}", ""), {"byte 11", "quotes"}},
      {"NoColon", npy("{'descr' '<f4'}", ""), {"byte 19", "colon"}},
      {"UnknownKey", npy("{'describe': '<f4'}", ""), {"byte 11", "descr, fortran_order and shape"}},
      {"KeyTwice", npy("{'descr': '<f4', 'descr': '<f4'}", ""), {"byte 27", "'descr' is given twice"}},
      {"NoType", npy("{'fortran_order': False, 'shape': ()}", eight), {"no 'descr'"}},
      {"NoOrder", npy("{'descr': '<f8', 'shape': ()}", eight), {"no 'fortran_order'"}},
      {"NoShape", npy("{'descr': '<f8', 'fortran_order': False}", eight), {"no 'shape'"}},
      {"BehindTheDictionary", npy(dictionary("'<f8'", "()") + "x", eight), {"nothing behind"}},
      {"NulInHeader", npy(dictionary("'<f8'", "()") + std::string(1, '\0'), eight), {"nothing behind"}},
      {"BigEndian", typed("'>f4'"), {"byte 20", "'>f4'", "big-endian", "newbyteorder"}},
      {"BigEndianInteger", typed("'>i8'"), {"byte 20", "big-endian"}},
      {"OrderOfNumber", npy(dictionary("'<f4'", "(2,)", "0"), eight), {"byte 44", "True or False"}},
      {"Structured", typed("[('a', '<f4')]"), {"byte 20", "structured", "a['field']"}},
      {"Objects", typed("'|O'"), {"byte 20", "pickled"}},
      {"Unicode", typed("'<U2'"), {"byte 20", "texts"}},
      {"ByteTexts", typed("'|S4'"), {"texts"}},
      {"Complex", typed("'<c8'"), {"complex", "a.real"}},
      {"Dates", typed("'<M8[s]'"), {"dates"}},
      {"RawBytes", typed("'|V4'"), {"raw bytes"}},
      {"LongDouble", typed("'<f16'"), {"'<f16'", "<f8"}},
      {"IntegersOf3Bytes", typed("'<i3'"), {"no type '<i3'"}},
      {"TypeOfNothing", typed("''"), {"no type ''"}},
      {"TypeOfControlBytes", typed("'\x01\x02\xFF'"), {"no type '", "'; the file"}},
      {"TypeOfNumber", typed("4"), {"quotes"}},
      {"ShapeOfNumber", shaped("2"), {"shape's ("}},
      {"ShapeNotClosed", shaped("(2, "), {"byte 6", "whole number"}},
      {"NegativeExtent", shaped("(-2,)"), {"not negative"}},
      {"FractionalExtent", shaped("(2.5,)"), {"shape's )"}},
      {"NoExtentBeforeComma", shaped("(,)"), {"whole number"}},
      {"ExtentOf2To63", shaped("(9223372036854775808,)"), {"2^63"}},
      {"Extents2To40", shaped("(1048576, 1048576)"), {"4398046511104 bytes, but 8 follow"}},
      {"ProductOverflows", shaped("(4294967296, 4294967296)"), {"2^64 or more bytes"}},
      {"ProductOverflowsToFit", shaped("(4611686018427387904, 4, 2)"), {"2^64 or more bytes"}},
      {"Truncated", npy(dictionary("'<f4'", "(2,)"), "1234567"), {"takes 8 bytes, but 7 follow"}},
      {"NoData", npy(dictionary("'<f4'", "(2,)"), ""), {"takes 8 bytes, but 0 follow"}},
      {"WrongTypeForData", typed("'<f8'"), {"F64 [2] takes 16 bytes, but 8 follow"}},
      {"TrailingBytes",
       npy(dictionary("'<f4'", "(2,)"), eight + "x"),
       {"1 bytes follow the array", "np.savez"}},
  };
  return all;
}

class BrokenNpy : public Npy, public testing::WithParamInterface<BrokenFile> {};

TEST_P(BrokenNpy, IsRefusedByItsPlace) {
  const std::string path = write(GetParam().bytes);
  test::expect_refused(GetParam(), path, [&] { NpyFile{path}; });
}

INSTANTIATE_TEST_SUITE_P(All, BrokenNpy, testing::ValuesIn(broken()),
                         [](const auto& info) { return info.param.name; });

TEST_F(Npy, MissingFilesAndFoldersAreErrors) {
  EXPECT_THAT(test::error_of([&] { NpyFile{file()}; }), HasSubstr("there is no such file"));
  EXPECT_THAT(test::error_of([&] { NpyFile{folder_}; }), HasSubstr("regular file"));
}

}  // namespace
}  // namespace gradus
