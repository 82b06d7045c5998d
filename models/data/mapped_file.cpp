#include "gradus/data/mapped_file.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "models/data/input_file.hpp"

namespace gradus {

MappedFile::MappedFile(const std::filesystem::path& path, std::string_view what) {
  const InputFile file(path, what);
  if (file.size() == 0) return;
  void* const memory = mmap(nullptr, file.size(), PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (memory == MAP_FAILED) file.fail(fmt::format("it cannot be mapped: {}", std::strerror(errno)));
  madvise(memory, file.size(), MADV_SEQUENTIAL);
  bytes_ = {static_cast<const char*>(memory), file.size()};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace gradus
