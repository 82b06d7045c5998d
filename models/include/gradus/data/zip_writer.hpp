#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "gradus/data/zip_entry.hpp"

namespace GRADUS_PUBLIC gradus {

/// Makes an archive whose contents are not copied unless they are deflated.
class ZipWriter {
 public:
  /// The pieces, one after the other, are the entry's contents; they must outlive this. Error for a name
  /// given twice, not UTF-8, or longer than 2^16 - 1.
  void add(std::string name, std::vector<std::string_view> pieces, bool deflate);
  /// The archive as pieces, for write_atomically. Once.
  std::vector<std::string_view> finish();

 private:
  std::string_view keep(std::string text);

  std::vector<ZipEntry> entries_;  // without data
  std::vector<std::uint64_t> offsets_;
  std::vector<std::uint64_t> packed_;
  std::unordered_set<std::string> names_;
  std::vector<std::string_view> pieces_;
  std::vector<std::unique_ptr<std::string>> kept_;
  std::uint64_t size_ = 0;
};

}  // namespace gradus
