// stdio makes its calls of the system within the C library, where nothing gets in between: its files are
// replaced by ones that call the shim's functions. And main, before which nothing fails.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "tests/faults/shim.hpp"

namespace {

template <class Function> Function* next_function(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

struct Opened {
  std::FILE* stream = nullptr;
  int file = -1;
};

constinit std::array<Opened, 64> opened{};

ssize_t cookie_read(void* cookie, char* bytes, std::size_t count) {
  return read(static_cast<Opened*>(cookie)->file, bytes, count);
}

ssize_t cookie_write(void* cookie, const char* bytes, std::size_t count) {
  // As the C library does: until all is written, or a call fails.
  std::size_t done = 0;
  while (done < count) {
    const ssize_t n = write(static_cast<Opened*>(cookie)->file, bytes + done, count - done);
    if (n < 0) return done > 0 ? static_cast<ssize_t>(done) : 0;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(count);
}

int cookie_seek(void* cookie, off64_t* offset, int whence) {
  *offset = lseek(static_cast<Opened*>(cookie)->file, *offset, whence);
  return *offset < 0 ? -1 : 0;
}

int cookie_close(void* cookie) {
  auto& slot = *static_cast<Opened*>(cookie);
  slot.stream = nullptr;
  return close(std::exchange(slot.file, -1));
}

std::FILE* stream_on(int file, const char* mode) {
  for (Opened& slot : opened)
    if (slot.file < 0) {
      slot.file = file;
      slot.stream = fopencookie(&slot, mode, {cookie_read, cookie_write, cookie_seek, cookie_close});
      if (slot.stream == nullptr) slot.file = -1;
      return slot.stream;
    }
  return nullptr;
}

int flags_of(std::string_view mode) {
  const bool both = mode.find('+') != std::string_view::npos;
  const int exclusive = mode.find('x') != std::string_view::npos ? O_EXCL : 0;
  if (mode.starts_with('r')) return both ? O_RDWR : O_RDONLY;
  const int how = both ? O_RDWR : O_WRONLY;
  return how | O_CREAT | exclusive | (mode.starts_with('a') ? O_APPEND : O_TRUNC);
}

int (*the_main)(int, char**, char**) = nullptr;

int main_with_faults(int argc, char** argv, char** settings) {
  gradus::faults::choose_faults();
  unsetenv("LD_PRELOAD");
  stdout = stream_on(STDOUT_FILENO, "w");
  stderr = stream_on(STDERR_FILENO, "w");
  std::setvbuf(stderr, nullptr, _IONBF, 0);
  gradus::faults::begin_faults();
  return the_main(argc, argv, settings);
}

}  // namespace

extern "C" {

std::FILE* fopen(const char* path, const char* mode) {
  constexpr mode_t for_all = 0666;
  const int file = open(path, flags_of(mode), for_all);
  if (file < 0) return nullptr;
  std::FILE* const stream = stream_on(file, mode);
  if (stream == nullptr) syscall(SYS_close, file);
  return stream;
}

std::FILE* fopen64(const char* path, const char* mode) { return fopen(path, mode); }

int fileno(std::FILE* stream) noexcept {
  for (const Opened& slot : opened)
    if (slot.stream == stream) return slot.file;
  return next_function<decltype(fileno)>("fileno")(stream);
}

int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv, void (*before)(),
                      void (*after)(), void (*loader)(), void* stack) {
  the_main = main;
  return next_function<decltype(__libc_start_main)>("__libc_start_main")(main_with_faults, argc, argv, before,
                                                                         after, loader, stack);
}

}  // extern "C"
