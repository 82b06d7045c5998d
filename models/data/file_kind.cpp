#include "models/data/file_kind.hpp"

#include <algorithm>
#include <array>
#include <fstream>

namespace gradus {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view packed = "it is compressed; unpack it";
constexpr std::string_view parquet = "it is a Parquet file; save the table as CSV";
constexpr std::string_view arrow = "it is an Arrow or Feather file; save the table as CSV";
constexpr std::string_view spreadsheet = "it is a spreadsheet; save the sheet as CSV";
constexpr std::string_view matlab = "it is a MATLAB file; save the table as CSV, or the arrays with np.savez";
constexpr std::string_view pickled =
    "it is a pickled Python object, which is code; save the table as CSV, or arrays with np.savez";
constexpr std::string_view of_r = "it is an R workspace; save the table with write.csv";
constexpr std::string_view pytorch =
    "it is a PyTorch file, which holds code; save the tensors as safetensors, or with np.savez";
constexpr std::string_view web_page =
    "it is a web page, not what can be downloaded from it; fetch the file itself";

struct Magic {
  std::string_view bytes;
  std::string_view what;
  bool with_zeros = false;  // whether the bytes alone may begin a text, so that there must be a zero, too
};
constexpr std::array<Magic, 36> magics{
    {{"\x1F\x8B"sv, packed},
     {"BZh"sv, packed, true},
     {"\xFD"
      "7zXZ\0"sv,
      packed},
     {"\x28\xB5\x2F\xFD"sv, packed},
     {"\x04\x22\x4D\x18"sv, packed},
     {"7z\xBC\xAF\x27\x1C"sv, packed},
     {"Rar!\x1A"sv, packed},
     {"\x1F\x9D"sv, packed},
     {"PAR1"sv, parquet, true},
     {"PARE"sv, parquet, true},
     {"ARROW1\0"sv, arrow},
     {"FEA1"sv, arrow, true},
     {"ORC"sv, "it is an ORC file; save the table as CSV", true},
     {"Obj\x01"sv, "it is an Avro file; save the table as CSV"},
     {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, spreadsheet},
     {"MATLAB 5.0 MAT-file"sv, matlab},
     {"MATLAB 7.3 MAT-file"sv, matlab},
     {"\x89HDF\r\n\x1A\n"sv,
      "it is an HDF5 file; save the table as CSV, "
      "or the arrays with np.savez"},
     {"\x80\x02"sv, pickled},
     {"\x80\x03"sv, pickled},
     {"\x80\x04"sv, pickled},
     {"\x80\x05"sv, pickled},
     {"RDX2\n"sv, of_r, true},
     {"RDX3\n"sv, of_r, true},
     {"X\n\0"sv, of_r},
     {"<stata_dta>"sv, "it is a Stata file; save the table as CSV"},
     {"$FL2"sv, "it is an SPSS file; save the table as CSV", true},
     {"SQLite format 3\0"sv, "it is an SQLite database; save the table as CSV"},
     {"\x89PNG\r\n"sv, "it is a picture; a table is needed"},
     {"\xFF\xD8\xFF"sv, "it is a picture; a table is needed"},
     {"%PDF-"sv, "it is a PDF file; save the table as CSV"},
     {"<!DOCTYPE html"sv, web_page},
     {"<!doctype html"sv, web_page},
     {"<html"sv, web_page},
     {"[{\""sv, "it is JSON; save the table as CSV"},
     {"{\""sv, "it is JSON; save the table as CSV"}}};

// Parts of names in archives.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> archives{
    {{"xl/workbook", spreadsheet},
     {"content.xml", spreadsheet},
     {"data.pkl", pytorch},
     {"model.weights.h5", "it is a Keras model; save its weights with np.savez"},
     {".csv", "unpack the archive, and name the CSV file in it"},
     {".tsv", "unpack the archive, and name the table in it"},
     {".txt", "unpack the archive, and name the table in it"},
     {"", "write the archive with np.savez"}}};

}  // namespace

FileKind kind_of(std::string_view bytes) {
  if (bytes.starts_with("\x93NUMPY")) return FileKind::npy;
  // An archive begins with an entry, or with its end record when there is none.
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06")) return FileKind::npz;
  return FileKind::other;
}

FileKind kind_of(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return FileKind::other;
  std::array<char, 8> front{};
  std::ifstream file(path, std::ios::binary);
  file.read(front.data(), front.size());
  return kind_of(std::string_view(front.data(), static_cast<std::size_t>(file.gcount())));
}

std::string_view foreign_kind(std::string_view bytes) {
  constexpr std::size_t enough = 4096;
  const bool zeros = bytes.substr(0, enough).find('\0') != std::string_view::npos;
  const auto is_it = [&](const Magic& magic) {
    return bytes.starts_with(magic.bytes) && (zeros || !magic.with_zeros);
  };
  const auto* const found = std::ranges::find_if(magics, is_it);
  return found == magics.end() ? std::string_view() : found->what;
}

std::string_view foreign_archive(const std::vector<std::string_view>& names) {
  const auto is_in = [&](std::string_view part) {
    return std::ranges::any_of(names, [&](auto name) { return name.find(part) != std::string_view::npos; });
  };
  return std::ranges::find_if(archives, [&](const auto& archive) { return is_in(archive.first); })->second;
}

bool is_utf16(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) return true;
  constexpr std::size_t enough = 32;
  const std::size_t size = std::min(enough, bytes.size()) / 2 * 2;
  std::array<std::size_t, 2> zeros{};  // at even places and at odd ones
  for (std::size_t i = 0; i < size; ++i) zeros[i % 2] += bytes[i] == '\0' ? 1 : 0;
  return size >= 4 &&
         (zeros == std::array{size / 2, std::size_t{0}} || zeros == std::array{std::size_t{0}, size / 2});
}

}  // namespace gradus
