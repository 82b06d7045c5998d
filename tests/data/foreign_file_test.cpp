// Files of other kinds are called what they are, and what NumPy reads is not called damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "gradus/data/npy.hpp"
#include "gradus/data/npz.hpp"
#include "gradus/data/read_table.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/data/zip_writer.hpp"
#include "tests/support/broken_files.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Foreign : public test::FolderTest {
 protected:
  std::string error_as_table(const std::string& bytes) const {
    const std::string path = write(bytes);
    return error_of([&] { read_table(path); });
  }
  std::string error_as_model(const std::string& bytes) const {
    const std::string path = write(bytes);
    return error_of([&] { const TensorFile file(path); });
  }
  static std::string archive_of(const std::vector<std::string>& names) {
    ZipWriter archive;
    for (const std::string& name : names) archive.add(name, {std::string_view("contents")}, false);
    std::string bytes;
    for (const std::string_view piece : archive.finish()) bytes += piece;
    return bytes;
  }
};

TEST_F(Foreign, BinaryFilesAreCalledByTheirKind) {
  const std::string zeros(40, '\0');
  for (const auto& [magic, kind] :
       std::vector<std::pair<std::string, std::string>>{{"\x1F\x8B\x08", "compressed; unpack it"},
                                                        {"BZh91AY&SY", "compressed; unpack it"},
                                                        {"\xFD"
                                                         "7zXZ",
                                                         "compressed; unpack it"},
                                                        {"\x28\xB5\x2F\xFD", "compressed; unpack it"},
                                                        {"7z\xBC\xAF\x27\x1C", "compressed; unpack it"},
                                                        {"PAR1\x15\x04", "Parquet"},
                                                        {"ARROW1", "Arrow"},
                                                        {"FEA1", "Feather"},
                                                        {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "spreadsheet"},
                                                        {"MATLAB 5.0 MAT-file, Platform: GLNXA64", "MATLAB"},
                                                        {"\x89HDF\r\n\x1A\n", "HDF5"},
                                                        {"\x80\x04\x95", "pickled"},
                                                        {"RDX3\n", "R workspace"},
                                                        {"SQLite format 3", "SQLite"},
                                                        {"\x89PNG\r\n\x1A\n", "picture"},
                                                        {"%PDF-1.7\n", "PDF"}}) {
    EXPECT_THAT(error_as_table(magic + zeros),
                AllOf(HasSubstr("CSV file"), HasSubstr(kind), Not(HasSubstr("UTF-16"))));
    EXPECT_THAT(error_as_model(magic + zeros),
                AllOf(HasSubstr("tensor file"), HasSubstr(kind), Not(HasSubstr("damaged"))));
  }
  EXPECT_THAT(error_as_table("<!DOCTYPE html>\n<html>"), HasSubstr("web page"));
  EXPECT_THAT(error_as_table("[{\"x\": 1}]"), HasSubstr("JSON"));
}

// Only what cannot be text is taken for another kind.
TEST_F(Foreign, NamesOfColumnsMayBeginAsOtherFilesDo) {
  for (const char* name : {"PAR1", "BZh", "FEA1", "ORC", "RDX3", "MATLAB", "SQLite", "PK", "X", "7z", "Rar!"})
    EXPECT_EQ(read_table(write(std::string(name) + ",y\n1,2\n")).columns().front().name, name);
}

TEST_F(Foreign, TextInTwoBytesIsCalledThatAndOtherZerosAreNot) {
  const auto wide = [](std::string_view text, bool big) {
    std::string bytes;
    for (const char c : text) bytes += big ? std::string{'\0', c} : std::string{c, '\0'};
    return bytes;
  };
  const std::string text = "x,kind\n1,a\n2,b\n";
  for (const std::string& bytes :
       {"\xFF\xFE" + wide(text, false), "\xFE\xFF" + wide(text, true), wide(text, false), wide(text, true)})
    EXPECT_THAT(error_as_table(bytes), HasSubstr("UTF-16; save it as UTF-8"));
  for (const std::string& bytes :
       {std::string("\1\2\3\0\5,\n1\n", 9), std::string("x\0y\n1\n", 6), std::string(64, '\0')})
    EXPECT_THAT(error_as_table(bytes), AllOf(HasSubstr("no text"), Not(HasSubstr("UTF-16"))));
}

TEST_F(Foreign, ArchivesOfOtherThingsAreCalledByThem) {
  for (const auto& [names, kind] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"[Content_Types].xml", "xl/workbook.xml"}, "spreadsheet; save the sheet as CSV"},
           {{"mimetype", "content.xml"}, "spreadsheet; save the sheet as CSV"},
           {{"t.csv"}, "unpack the archive"},
           {{"a/", "a/t.tsv"}, "unpack the archive"},
           {{"model/data.pkl", "model/data/0"}, "PyTorch"},
           {{"config.json", "model.weights.h5"}, "Keras"},
           {{"x.bin"}, "write the archive with np.savez"}}) {
    EXPECT_THAT(error_as_table(archive_of(names)), AllOf(HasSubstr(kind), Not(HasSubstr("damaged"))));
    EXPECT_THAT(error_as_model(archive_of(names)), AllOf(HasSubstr(kind), Not(HasSubstr("damaged"))));
  }
}

// Whatever copies blocks fills the last one up.
TEST_F(Foreign, ZerosBehindAnArchiveAreNoMatter) {
  const std::vector<double> x{1, 2, 3};
  write_npz(folder_ / "x.npz", std::vector{tensor_bytes("x", {3}, x)});
  for (const std::size_t size : {1, 4, 22, 512, 60000})
    EXPECT_EQ(read_table(write(read("x.npz") + std::string(size, '\0'))).rows(), 3U);
}

std::string npy_of(std::string dictionary, const std::string& elements) {
  dictionary.resize((dictionary.size() + 10 + 63) / 64 * 64 - 10, ' ');
  return std::string("\x93NUMPY\1\0", 8) + test::little_endian(dictionary.size(), 2) + dictionary + elements;
}

TEST_F(Foreign, EverySpellingOfATypeThatNumpyReadsIsThatType) {
  const std::vector<std::pair<ElementType, std::vector<std::string>>> types{
      {ElementType::boolean, {"b1", "?", "bool", "|b1", "<?", ">b1"}},
      {ElementType::u8, {"u1", "B", "uint8", "ubyte", "=u1"}},
      {ElementType::i8, {"i1", "b", "int8", "byte", "<b"}},
      {ElementType::u16, {"u2", "H", "uint16", "ushort", "<H"}},
      {ElementType::i16, {"i2", "h", "int16", "short"}},
      {ElementType::f16, {"f2", "e", "float16", "half", "=e"}},
      {ElementType::u32, {"u4", "I", "uint32", "uintc"}},
      {ElementType::i32, {"i4", "i", "int32", "intc", "<i"}},
      {ElementType::f32, {"f4", "f", "float32", "single", "|f4"}},
      {ElementType::u64, {"u8", "L", "Q", "uint64", "uint"}},
      {ElementType::i64, {"i8", "l", "q", "int64", "long", "int", "intp"}},
      {ElementType::f64, {"f8", "d", "<d", "|f8", "|d", "float64", "double", "float"}}};
  for (const auto& [type, names] : types)
    for (const std::string& name : names)
      for (const std::string& text : {"'" + name + "'", "\"" + name + "\"", "u'" + name + "'"}) {
        const std::string bytes = npy_of("{'descr': " + text + ", 'fortran_order': False, 'shape': (2,), }\n",
                                         std::string(2 * bytes_of(type), '\0'));
        EXPECT_EQ(error_of([&, expected = type] { EXPECT_EQ(parse_npy(bytes, "f").tensor.type, expected); }),
                  "no error")
            << text;
      }
  for (const auto& [name, why] :
       std::vector<std::pair<std::string, std::string>>{{">f8", "big-endian"},
                                                        {">d", "big-endian"},
                                                        {">i4", "big-endian"},
                                                        {"complex128", "complex"},
                                                        {"F", "complex"},
                                                        {"<c8", "complex"},
                                                        {"O", "pickled"},
                                                        {"object", "pickled"},
                                                        {"<U5", "texts"},
                                                        {"S3", "texts"},
                                                        {"str", "texts"},
                                                        {"<M8[ns]", "dates"},
                                                        {"datetime64[D]", "dates"},
                                                        {"m8", "dates"},
                                                        {"V8", "raw bytes"},
                                                        {"f16", "no such float"},
                                                        {"longdouble", "no such float"},
                                                        {"g", "no such float"}}) {
    const std::string bytes =
        npy_of("{'descr': '" + name + "', 'fortran_order': False, 'shape': (2,), }\n", std::string(64, '\0'));
    EXPECT_THAT(error_of([&] { parse_npy(bytes, "f"); }), AllOf(HasSubstr(why), Not(HasSubstr("damaged"))))
        << name;
  }
  for (const std::string name : {"zz", "", "<", "float65", "i3", "8"}) {
    const std::string bytes =
        npy_of("{'descr': '" + name + "', 'fortran_order': False, 'shape': (2,), }\n", std::string(64, '\0'));
    EXPECT_NE(error_of([&] { parse_npy(bytes, "f"); }), "no error") << name;
  }
}

TEST_F(Foreign, ADictionaryMayBeWrittenByAnyPython) {
  for (const std::string dictionary :
       {"{u'descr': u'<f8', u'fortran_order': False, u'shape': (2L,), }\n",
        "{'descr':\t'<f8',\t'fortran_order':\tFalse,\t'shape':\t(2,)}\t\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\r\n",
        "\n{\n'descr': '<f8',\r\n 'fortran_order': False,\r\n 'shape': (2, ) }\r\n"}) {
    const std::string bytes = npy_of(dictionary, std::string(16, '\0'));
    EXPECT_EQ(error_of([&] { EXPECT_EQ(parse_npy(bytes, "f").tensor.count(), 2U); }), "no error")
        << dictionary;
  }
}

// Columns that are asked for and have no rows, and names that only begin as others do.
TEST_F(Foreign, ArraysWithoutRowsAreNamedAsSuch) {
  const std::vector<double> x(4, 1.0), one(1, 1.0), none;
  const auto asked = [&](const TensorBytes& odd, const std::string& column) {
    write_npz(folder_ / "t.npz", std::vector{tensor_bytes("x", {4}, x), odd});
    return error_of([&] { read_table(file("t.npz"), {.complete = {column}}); });
  };
  EXPECT_THAT(asked(tensor_bytes("y", {}, one), "y"), HasSubstr("array 'y' is a single number"));
  EXPECT_THAT(asked(tensor_bytes("y", {0}, none), "y"), HasSubstr("array 'y' [0] has no rows"));
  EXPECT_THAT(asked(tensor_bytes("y", {0, 3}, none), "y2"), HasSubstr("array 'y' [0, 3] has no rows"));
  EXPECT_THAT(asked(tensor_bytes("y", {4, 0}, none), "y1"), HasSubstr("array 'y' [4, 0] has no columns"));
  EXPECT_THAT(asked(tensor_bytes("y", {0}, none), "yes"), HasSubstr("there is no column 'yes'"));
  write_npy(folder_ / "t.npy", tensor_bytes("", {0, 3}, none));
  for (const std::string column : {"y", "c1"})
    EXPECT_THAT(error_of([&] { read_table(file("t.npy"), {.complete = {column}}); }),
                HasSubstr("[0, 3] has no rows"));
}

}  // namespace
}  // namespace gradus
