// NPZ files: what is written is read back bit for bit, and whatever is broken is refused by its entry or
// offset, in memory that the file's size bounds.
#include "gradus/data/npz.hpp"

#include <zlib.h>

#include <cstring>
#include <functional>
#include <numeric>

#include "gradus/data/npy.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/data/zip_writer.hpp"
#include "tests/support/broken_files.hpp"

namespace gradus {
namespace {

using test::BrokenFile;
using test::little_endian;
using testing::HasSubstr;

using Npz = test::FolderTest;

const std::vector<float> three{1, -2, 0.5F};

std::string joined(const std::vector<std::string_view>& pieces) {
  std::string all;
  for (const std::string_view piece : pieces) all += piece;
  return all;
}

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string array_file() {
  const TensorBytes array = tensor_bytes("a", {3}, three);
  return npy_header(array) + std::string(text(array.bytes));
}

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string archive_of(const Entries& entries, bool deflate = false) {
  ZipWriter writer;
  for (const auto& [name, content] : entries) writer.add(name, {content}, deflate);
  return joined(writer.finish());
}

TEST_F(Npz, ComesBackBitForBit) {
  std::vector<double> many(100000);
  std::iota(many.begin(), many.end(), -5.0);
  const std::vector<TensorBytes> arrays{tensor_bytes("a", {3, 1}, three),
                                        tensor_bytes("layer/W é", {100, 1000}, many),
                                        tensor_bytes("none", {0, 4}, std::span<const float>{})};
  for (const bool deflate : {false, true}) {
    write_npz(file(), arrays, {.deflate = deflate});
    EXPECT_EQ(std::filesystem::file_size(file()) < 400000, deflate);
    const NpzFile read(file());
    EXPECT_EQ(read.names(), (std::vector<std::string>{"a", "layer/W é", "none"}));
    EXPECT_TRUE(read.contains("a") && !read.contains("b"));
    for (const TensorBytes& array : arrays) {
      const Array back = read.read(array.name);
      EXPECT_EQ(back.tensor.extents, array.extents);
      EXPECT_EQ(back.tensor.type, array.type);
      EXPECT_TRUE(std::ranges::equal(back.tensor.bytes, array.bytes));
    }
    EXPECT_THAT(test::error_of([&] { read.read("b"); }),
                HasSubstr("no array 'b' in it; there are: a, layer/W é, none"));
  }
  Array kept;
  { kept = NpzFile(file()).read("a"); }  // lives on without the file
  EXPECT_TRUE(std::ranges::equal(kept.tensor.bytes, arrays[0].bytes));
}

TEST_F(Npz, TheSameArraysGiveTheSameBytes) {
  const std::vector<TensorBytes> arrays{tensor_bytes("a", {3}, three)};
  write_npz(file("one"), arrays);
  write_npz(file("two"), arrays);
  EXPECT_EQ(read("one"), read("two"));
}

TEST_F(Npz, MoreEntriesThanAnOldZipHasAreKept) {
  constexpr int count = 66000;
  std::vector<TensorBytes> arrays;
  const std::vector<float> one{7};
  for (int i = 0; i < count; ++i) arrays.push_back(tensor_bytes("a" + std::to_string(i), {1}, one));
  write_npz(file(), arrays);
  const NpzFile read(file());
  ASSERT_EQ(read.names().size(), static_cast<std::size_t>(count));
  EXPECT_EQ(text(read.read("a65999").tensor.bytes), text(arrays[0].bytes));
}

TEST_F(Npz, WriterRefusesWhatCannotBeRead) {
  const auto error = [&](const std::vector<TensorBytes>& arrays) {
    return test::error_of([&] { write_npz(file(), arrays); });
  };
  EXPECT_THAT(error({tensor_bytes("a", {3}, three), tensor_bytes("a", {3}, three)}),
              HasSubstr("'a.npy' is given twice"));
  EXPECT_THAT(error({tensor_bytes("\xFF", {3}, three)}), HasSubstr("no UTF-8"));
  EXPECT_THAT(error({tensor_bytes("a", {4}, three)}), HasSubstr("does not fit its 12 bytes"));
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Npz, HoldsTensorsWithMetadata) {
  const std::vector<TensorBytes> tensors{tensor_bytes("W", {3}, three)};
  write_tensors(file("w.npz"), tensors, {{"recipe", "{\"é\": 1}"}});
  EXPECT_EQ(read("w.npz").substr(0, 2), "PK");
  const TensorFile back(file("w.npz"));
  EXPECT_EQ(back.metadata().at("recipe"), "{\"é\": 1}");
  ASSERT_EQ(back.tensors().size(), 1U);
  EXPECT_EQ(back.values("W"), (std::vector<double>{1, -2, 0.5}));
  write(archive_of({{"__metadata__.npy", array_file()}}));
  EXPECT_THAT(test::error_of([&] { TensorFile{file()}; }),
              HasSubstr("entry '__metadata__.npy': it is no JSON"));
}

// Offsets in an archive of one entry a.npy.
struct Layout {
  explicit Layout(const std::string& bytes) : directory(bytes.find("PK\1\2")), end(bytes.rfind("PK\5\6")) {}
  std::size_t directory;
  std::size_t end;
};

// An archive of one entry, of which some field is another.
std::string with(std::size_t from_directory, const std::string& value, bool deflate = false) {
  std::string bytes = archive_of({{"a.npy", array_file()}}, deflate);
  return bytes.replace(Layout(bytes).directory + from_directory, value.size(), value);
}
std::string with_end(std::size_t from_end, const std::string& value) {
  std::string bytes = archive_of({{"a.npy", array_file()}});
  return bytes.replace(Layout(bytes).end + from_end, value.size(), value);
}
std::string flipped(bool deflate, std::size_t offset) {
  std::string bytes = archive_of({{"a.npy", array_file()}}, deflate);
  bytes.at(offset) = static_cast<char>(bytes.at(offset) ^ 0x55);
  return bytes;
}

// An archive whose directory says that the entry's sizes are in a zip64 extra, and has this one.
std::string with_zip64(const std::string& extra) {
  std::string bytes = with(20, std::string(8, '\xFF'));
  const Layout at(bytes);
  bytes.replace(at.directory + 30, 2, little_endian(extra.size(), 2));
  bytes.insert(at.end, extra);
  return bytes.replace(Layout(bytes).end + 12, 4, little_endian(Layout(bytes).end - at.directory, 4));
}

// The same in the form with a zip64 end record.
std::string with_zip64_end(const std::function<void(std::string& record, std::string& locator)>& change) {
  std::string bytes = archive_of({{"a.npy", array_file()}});
  const Layout at(bytes);
  std::string record = "PK\6\6" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) +
                       little_endian(0, 8) + little_endian(1, 8) + little_endian(1, 8) +
                       little_endian(at.end - at.directory, 8) + little_endian(at.directory, 8);
  std::string locator = "PK\6\7" + little_endian(0, 4) + little_endian(at.end, 8) + little_endian(1, 4);
  change(record, locator);
  std::string end = bytes.substr(at.end);
  end.replace(8, 4, std::string(4, '\xFF'));
  end.replace(12, 8, std::string(8, '\xFF'));
  return bytes.substr(0, at.end) + record + locator + end;
}

// A deflated entry with this content, but so many bytes of it in its directory.
std::string claiming(const std::string& content, std::uint64_t size) {
  std::string bytes = archive_of({{"a.npy", content}}, true);
  return bytes.replace(Layout(bytes).directory + 24, 4, little_endian(size, 4));
}

// Two entries, of which the second says that it lies where the first does.
std::string overlapping() {
  std::string bytes = archive_of({{"a.npy", array_file()}, {"b.npy", array_file()}});
  const std::size_t second = bytes.find("PK\1\2", Layout(bytes).directory + 4);
  bytes.replace(second + 42, 4, little_endian(0, 4));
  return bytes.replace(second + 46, 1, "a").replace(second + 46, 1, "b").replace(30, 1, "b");
}

std::string two_of_one_name() {
  std::string bytes = archive_of({{"a.npy", array_file()}, {"b.npy", array_file()}});
  for (std::size_t at = 0; (at = bytes.find("b.npy", at)) != std::string::npos; ++at) bytes[at] = 'a';
  return bytes;
}

TEST_F(Npz, Zip64IsRead) {
  const std::string array = array_file();
  for (const std::string& bytes :
       {with_zip64(little_endian(1, 2) + little_endian(16, 2) + little_endian(array.size(), 8) +
                   little_endian(array.size(), 8)),
        with_zip64_end([](auto&, auto&) {})}) {
    write(bytes);
    EXPECT_EQ(text(NpzFile(file()).read("a").tensor.bytes), text(tensor_bytes("a", {3}, three).bytes));
  }
  // A comment behind the end record is passed over.
  std::string bytes = archive_of({{"a.npy", array}});
  write(bytes.substr(0, bytes.size() - 2) + little_endian(5, 2) + "hello");
  EXPECT_EQ(NpzFile(file()).names().size(), 1U);
}

// An entry with this type and shape; its data are zeros.
std::string zeros(const std::string& type, const std::string& shape, std::size_t bytes, const char* order) {
  const std::string dictionary =
      "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + "}";
  return "\x93NUMPY\1" + std::string(1, '\0') + little_endian(dictionary.size(), 2) + dictionary +
         std::string(bytes, '\0');
}

// Only who asks for an entry that cannot be read gets an error, which says why.
TEST_F(Npz, WhatNobodyAsksForMayBeAnything) {
  for (const bool deflate : {false, true}) {
    write(archive_of({{"README.txt", "of these arrays"},
                      {"names.npy", zeros("<U5", "(3,)", 60, "False")},
                      {"z.npy", zeros("<c8", "(2,)", 16, "False")},
                      {"objects.npy", zeros("|O", "(1,)", 9, "False")},
                      {"cut.npy", zeros("<f4", "(3,)", 5, "False")},
                      {"a.npy", array_file()}},
                     deflate));
    const NpzFile archive(file());
    EXPECT_EQ(archive.names(), (std::vector<std::string>{"names", "z", "objects", "cut", "a"}));
    EXPECT_EQ(text(archive.read("a").tensor.bytes), text(tensor_bytes("a", {3}, three).bytes));
    EXPECT_THAT(test::error_of([&] { archive.read("names"); }), HasSubstr("these are texts"));
    const TensorFile tensors(file());
    EXPECT_EQ(tensors.tensors().size(), 1U);
    EXPECT_EQ(tensors.values("a"), (std::vector<double>{1, -2, 0.5}));
    EXPECT_THAT(test::error_of([&] { tensors.at("names"); }), HasSubstr("entry 'names.npy'"));
    EXPECT_THAT(test::error_of([&] { tensors.at("z"); }), HasSubstr("complex"));
    EXPECT_THAT(test::error_of([&] { tensors.values("objects"); }), HasSubstr("pickled"));
    EXPECT_THAT(test::error_of([&] { tensors.values("cut"); }), HasSubstr("takes 12 bytes, but 5 follow"));
    EXPECT_THAT(test::error_of([&] { tensors.at("b"); }), HasSubstr("there is no tensor 'b'"));
  }
}

TEST_F(Npz, FortranOrderIsTransposed) {
  std::string matrix = zeros("|u1", "(2, 3)", 0, "True") + "\1\4\2\5\3\6";
  for (const bool deflate : {false, true}) {
    write(archive_of({{"m.npy", matrix}}, deflate));
    EXPECT_EQ(text(NpzFile(file()).read("m").tensor.bytes), "\1\2\3\4\5\6") << deflate;
  }
}

const std::vector<BrokenFile>& broken() {
  const std::string good = archive_of({{"a.npy", array_file()}});
  const std::string ones(8, '\xFF');
  const std::string npy_of_2_to_40 = [] {
    const std::string dictionary = "{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,), }";
    return "\x93NUMPY\1" + std::string(1, '\0') + little_endian(dictionary.size(), 2) + dictionary;
  }();
  static const std::vector<BrokenFile> all{
      {"Empty", "", {"byte 0", "end record is missing"}},
      {"OnlySignatures", "PK\3\4", {"end record is missing"}},
      {"CutBehindDirectory", good.substr(0, good.size() - 1), {"end record is missing", "cut off"}},
      {"CutInData", good.substr(0, 100), {"end record is missing"}},
      {"TextBehind", good + "hello", {"end record is missing"}},
      {"CommentCut", with_end(20, little_endian(9, 2)), {"end record is missing"}},
      {"OneOfSeveralParts", with_end(4, little_endian(1, 2)), {"one part of several"}},
      {"DirectoryBeyondFile", with_end(16, little_endian(1U << 30U, 4)), {"from byte 1073741824 on"}},
      {"DirectoryLargerThanFile", with_end(12, little_endian(1U << 30U, 4)), {"1073741824 bytes"}},
      {"DirectoryShorter", with_end(12, little_endian(10, 4)), {"to have 10 bytes"}},
      {"MoreEntriesThanFit", with_end(10, little_endian(65000, 2)), {"65000 entries"}},
      {"FewerEntries", with_end(10, little_endian(0, 2)), {"belong to no entry"}},
      {"TwoEntriesInTheSpaceOfOne", with_end(10, little_endian(2, 2)), {"2 entries in a directory of"}},
      {"NoEntryInDirectory", with(0, "XX"), {"expected an entry of the directory"}},
      {"NameBeyondDirectory", with(28, little_endian(60000, 2)), {"beyond its end"}},
      {"NameNotUtf8", with(46, "\xFF"), {"name is not UTF-8"}},
      {"Encrypted", with(8, little_endian(1, 2)), {"entry 'a.npy'", "encrypted"}},
      {"PackedByBzip2", with(10, little_endian(12, 2)), {"entry 'a.npy'", "method 12", "np.savez"}},
      {"NoEntryAtOffset", with(42, little_endian(7, 4)), {"entry 'a.npy'", "no entry at byte 7"}},
      {"OffsetBeyondFile",
       with(42, little_endian(1U << 30U, 4)),
       {"entry 'a.npy'", "no entry at byte 1073741824"}},
      {"OtherName", with(46, "b"), {"entry 'b.npy'", "another name at byte 0"}},
      {"DataBeyondFile",
       with(20, little_endian(5000, 4) + little_endian(5000, 4)),
       {"entry 'a.npy'", "5000 bytes from byte 35 on"}},
      {"StoredSizesDiffer",
       with(24, little_endian(139, 4)),
       {"entry 'a.npy'", "139 bytes cannot be packed into 140"}},
      {"Zip64Missing", with(24, std::string(4, '\xFF')), {"entry 'a.npy'", "zip64 sizes are missing"}},
      {"Zip64Cut",
       with_zip64(little_endian(1, 2) + little_endian(8, 2) + little_endian(140, 8)),
       {"entry 'a.npy'", "zip64 sizes are cut off"}},
      {"Zip64ExtraLongerThanItself",
       with_zip64(little_endian(1, 2) + little_endian(90, 2) + little_endian(140, 8)),
       {"entry 'a.npy'", "zip64 sizes are missing"}},
      {"Zip64Of2To40",
       with_zip64(little_endian(1, 2) + little_endian(16, 2) + little_endian(std::uint64_t{1} << 40U, 8) +
                  little_endian(std::uint64_t{1} << 40U, 8)),
       {"entry 'a.npy'", "1099511627776 bytes from byte 35 on"}},
      {"Zip64OfAllOnes",
       with_zip64(little_endian(1, 2) + little_endian(16, 2) + ones + ones),
       {"entry 'a.npy'", "18446744073709551615 bytes"}},
      {"LocatorMissing", with_end(10, "\xFF\xFF"), {"zip64 locator is missing"}},
      {"LocatorElsewhere",
       with_zip64_end([&](auto&, auto& locator) { locator.replace(8, 8, ones); }),
       {"no zip64 end record at byte 18446744073709551615"}},
      {"Zip64DirectoryBeyondFile",
       with_zip64_end([&](auto& record, auto&) { record.replace(48, 8, ones); }),
       {"from byte 18446744073709551615 on"}},
      {"Zip64EntriesOf2To60",
       with_zip64_end(
           [&](auto& record, auto&) { record.replace(32, 8, little_endian(std::uint64_t{1} << 60U, 8)); }),
       {"1152921504606846976 entries"}},
      {"TwoOfOneName", two_of_one_name(), {"two entries 'a.npy'"}},
      {"Overlap", overlapping(), {"byte"}},
      {"ChecksumOfStored", flipped(false, 170), {"entry 'a.npy'", "checksum"}},
      {"ChecksumOfDeflated", with(16, little_endian(1, 4), true), {"entry 'a.npy'", "checksum", "00000001"}},
      {"StreamCorrupt", flipped(true, 35), {"entry 'a.npy'", "stream"}},
      {"BombInSize", claiming(array_file(), 1U << 30U), {"entry 'a.npy'", "cannot be packed"}},
      {"BombInContents", claiming(std::string(10'000'000, '\0'), 9'000'000), {"entry 'a.npy'", "\\x93NUMPY"}},
      {"BombBehindArray",
       claiming(array_file() + std::string(10'000'000, '\0'), 140),
       {"entry 'a.npy'", "go on after the 140 bytes"}},
      {"ContentsShorter", claiming(array_file(), 141), {"entry 'a.npy'", "cut off after 140 bytes"}},
      {"ArrayOf2To40",
       archive_of({{"a.npy", npy_of_2_to_40}}, true),
       {"entry 'a.npy'", "1099511627776 bytes, but 0"}},
      {"StoredArrayOf2To40",
       archive_of({{"a.npy", npy_of_2_to_40}}),
       {"entry 'a.npy'", "1099511627776 bytes, but 0"}},
      {"NoNpy", archive_of({{"a.txt", "hello"}}), {"entry 'a.txt'", "no .npy"}},
      {"EntryEmpty", archive_of({{"a.npy", ""}}), {"entry 'a.npy'", "byte 0"}},
      {"DeflatedEntryEmpty", archive_of({{"a.npy", ""}}, true), {"entry 'a.npy'", "byte 0"}},
  };
  return all;
}

class BrokenNpz : public Npz, public testing::WithParamInterface<BrokenFile> {};

TEST_P(BrokenNpz, IsRefusedByItsPlace) {
  const std::string path = write(GetParam().bytes);
  test::expect_refused(GetParam(), path, [&] {
    const NpzFile archive(path);
    for (const std::string& name : archive.names()) archive.read(name);
  });
}

INSTANTIATE_TEST_SUITE_P(All, BrokenNpz, testing::ValuesIn(broken()),
                         [](const auto& info) { return info.param.name; });

TEST_F(Npz, MissingFilesAndFoldersAreErrors) {
  EXPECT_THAT(test::error_of([&] { NpzFile{file()}; }), HasSubstr("there is no such file"));
  EXPECT_THAT(test::error_of([&] { NpzFile{folder_}; }), HasSubstr("regular file"));
}

}  // namespace
}  // namespace gradus
