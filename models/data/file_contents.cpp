#include "gradus/data/file_contents.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "framework/base/aligned.hpp"
#include "models/data/input_file.hpp"

namespace gradus {

namespace {

// Fills `into` from the start of the file; fails where there is less.
void read_all(const InputFile& file, char* into) {
  for (std::size_t done = 0; done < file.size();) {
    const ssize_t count = read(file.descriptor(), into + done, file.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) file.fail(errno);
    if (count == 0)
      file.fail(
          fmt::format("somebody made it shorter while it was read: {} bytes of {} were left; name it "
                      "once it is whole",
                      done, file.size()));
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace

FileContents::FileContents(const std::filesystem::path& path, std::string_view what) {
  const InputFile file(path, what);
  const std::size_t size = file.size();
  if (size == 0) return;
  require_memory(size);
  // Fresh pages: large ones, which are had in a twentieth of the time, where the system has them.
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) file.fail(fmt::format("its {} bytes of memory cannot be had now", size));
  bytes_ = {static_cast<const char*>(memory), size};
  madvise(memory, size, MADV_HUGEPAGE);
  try {
    read_all(file, static_cast<char*>(memory));
  } catch (...) {
    munmap(memory, size);
    throw;
  }
}

FileContents::~FileContents() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace gradus
