// Makes the N-th call of a kind fail, once or from then on. Loaded in front of the C library:
//
//   LD_PRELOAD=build/release/tests/libgradus_faults.so GRADUS_FAULT="write 3 ENOSPC" gradus …
//
// "malloc 17" fails the 17th allocation since main began, "malloc 17 on" all from the 17th on; the calls of
// the system take the error's name, or "short" for half of what is asked. $GRADUS_FAULT_COUNTS names a file
// of the size of a Page, to which the calls are counted. Nothing here allocates, and children run
// undisturbed.

#include "tests/faults/shim.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "tests/faults/kinds.hpp"

namespace {

using gradus::faults::Kind;
using gradus::faults::Page;

constexpr int short_count = -1;  // in place of an error: half of what is asked is done

constinit Page own_page{};
constinit Page* page = &own_page;
constinit std::atomic<bool> armed = false;
constinit bool is_chosen = false;
constinit Kind chosen{};
constinit std::uint64_t chosen_call = 0;
constinit bool stays = false;
constinit int chosen_error = ENOMEM;

constexpr std::array<std::pair<std::string_view, int>, 17> errors{{{"short", short_count},
                                                                   {"EINTR", EINTR},
                                                                   {"EIO", EIO},
                                                                   {"ENOSPC", ENOSPC},
                                                                   {"ENOMEM", ENOMEM},
                                                                   {"EMFILE", EMFILE},
                                                                   {"ENFILE", ENFILE},
                                                                   {"EACCES", EACCES},
                                                                   {"EPERM", EPERM},
                                                                   {"EAGAIN", EAGAIN},
                                                                   {"EDQUOT", EDQUOT},
                                                                   {"EROFS", EROFS},
                                                                   {"EEXIST", EEXIST},
                                                                   {"ENOLCK", ENOLCK},
                                                                   {"EINVAL", EINVAL},
                                                                   {"ENOSYS", ENOSYS},
                                                                   {"EOPNOTSUPP", EOPNOTSUPP}}};

// The next word of a text.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

void choose(std::string_view text) {
  const std::string_view name = take_word(text);
  const auto* const kind = std::ranges::find(gradus::faults::kind_names, name);
  if (kind == gradus::faults::kind_names.end()) abort();
  chosen = static_cast<Kind>(kind - gradus::faults::kind_names.begin());
  for (const char digit : take_word(text))
    chosen_call = 10 * chosen_call + static_cast<std::uint64_t>(digit - '0');
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
    const auto* const error = std::ranges::find(errors, word, &std::pair<std::string_view, int>::first);
    if (word == "on")
      stays = true;
    else if (error == errors.end())
      abort();
    else
      chosen_error = error->second;
  }
  is_chosen = true;
}

// Counts a call; the error that it is to fail with, or 0.
int fault(Kind kind) {
  if (!armed.load(std::memory_order_relaxed)) return 0;
  const std::uint64_t call = ++page->counts[static_cast<std::size_t>(kind)];
  if (!is_chosen || kind != chosen || call < chosen_call || (call > chosen_call && !stays)) return 0;
  ++page->struck;
  return chosen_error;
}

template <class Function> Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// The result of a call of the system, or the failure that is due.
template <class Call> auto checked(Kind kind, Call call) -> decltype(call()) {
  if (const int error = fault(kind)) {
    errno = error;
    return static_cast<decltype(call())>(-1);
  }
  return call();
}

// The same for calls that do a part of what is asked.
template <class Call> ssize_t checked_count(Kind kind, std::size_t count, Call call) {
  const int error = fault(kind);
  if (error == short_count)
    return call(std::max<std::size_t>((count + 1) / 2, std::min<std::size_t>(count, 1)));
  if (error == 0) return call(count);
  errno = error;
  return -1;
}

mode_t mode_of(int flags, va_list list) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
}

}  // namespace

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) noexcept {
  if (fault(Kind::malloc) == 0) return __libc_malloc(size);
  errno = ENOMEM;
  return nullptr;
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  if (fault(Kind::malloc) == 0) return __libc_calloc(count, size);
  errno = ENOMEM;
  return nullptr;
}

void* realloc(void* memory, std::size_t size) noexcept {
  if (fault(Kind::malloc) == 0) return __libc_realloc(memory, size);
  errno = ENOMEM;
  return nullptr;
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  if (fault(Kind::malloc) == 0) return __libc_memalign(alignment, size);
  errno = ENOMEM;
  return nullptr;
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return memalign(alignment, size); }

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  void* const got = memalign(alignment, size);
  if (got == nullptr) return ENOMEM;
  *memory = got;
  return 0;
}

ssize_t read(int file, void* bytes, std::size_t count) {
  return checked_count(Kind::read, count, [&](std::size_t n) { return syscall(SYS_read, file, bytes, n); });
}

ssize_t pread(int file, void* bytes, std::size_t count, off_t offset) {
  return checked_count(Kind::read, count,
                       [&](std::size_t n) { return syscall(SYS_pread64, file, bytes, n, offset); });
}

ssize_t write(int file, const void* bytes, std::size_t count) {
  return checked_count(Kind::write, count, [&](std::size_t n) { return syscall(SYS_write, file, bytes, n); });
}

ssize_t send(int file, const void* bytes, std::size_t count, int flags) {
  return checked_count(Kind::send, count,
                       [&](std::size_t n) { return syscall(SYS_sendto, file, bytes, n, flags, nullptr, 0); });
}

int openat(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return static_cast<int>(
      checked(Kind::open, [&] { return syscall(SYS_openat, folder, path, flags, mode); }));
}

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) __attribute__((alias("open")));
int openat64(int folder, const char* path, int flags, ...) __attribute__((alias("openat")));
int __open_2(const char* path, int flags) { return open(path, flags); }
int __open64_2(const char* path, int flags) { return open(path, flags); }

// Closed it is in any case, as on Linux.
int close(int file) {
  const int error = fault(Kind::close);
  const long result = syscall(SYS_close, file);
  if (error == 0) return static_cast<int>(result);
  errno = error;
  return -1;
}

int fstatat(int folder, const char* path, struct stat* status, int flags) noexcept {
  return static_cast<int>(
      checked(Kind::stat, [&] { return syscall(SYS_newfstatat, folder, path, status, flags); }));
}

int fstat(int file, struct stat* status) noexcept { return fstatat(file, "", status, AT_EMPTY_PATH); }
int stat(const char* path, struct stat* status) noexcept { return fstatat(AT_FDCWD, path, status, 0); }
int lstat(const char* path, struct stat* status) noexcept {
  return fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}
int fstat64(int file, struct stat64* status) noexcept {
  return fstat(file, reinterpret_cast<struct stat*>(status));
}
int stat64(const char* path, struct stat64* status) noexcept {
  return stat(path, reinterpret_cast<struct stat*>(status));
}
int lstat64(const char* path, struct stat64* status) noexcept {
  return lstat(path, reinterpret_cast<struct stat*>(status));
}

int fsync(int file) {
  return static_cast<int>(checked(Kind::fsync, [&] { return syscall(SYS_fsync, file); }));
}
int flock(int file, int operation) noexcept {
  return static_cast<int>(checked(Kind::flock, [&] { return syscall(SYS_flock, file, operation); }));
}
int rename(const char* from, const char* to) noexcept {
  return static_cast<int>(checked(Kind::rename, [&] { return syscall(SYS_rename, from, to); }));
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  return static_cast<int>(
      checked(Kind::link, [&] { return syscall(SYS_linkat, from_folder, from, to_folder, to, flags); }));
}
int unlink(const char* path) noexcept {
  return static_cast<int>(checked(Kind::unlink, [&] { return syscall(SYS_unlink, path); }));
}
int mkdir(const char* path, mode_t mode) noexcept {
  return static_cast<int>(checked(Kind::mkdir, [&] { return syscall(SYS_mkdir, path, mode); }));
}
int fchmod(int file, mode_t mode) noexcept {
  return static_cast<int>(checked(Kind::chmod, [&] { return syscall(SYS_fchmod, file, mode); }));
}
int ftruncate(int file, off_t size) noexcept {
  return static_cast<int>(checked(Kind::truncate, [&] { return syscall(SYS_ftruncate, file, size); }));
}
off_t lseek(int file, off_t offset, int whence) noexcept {
  return checked(Kind::seek, [&] { return syscall(SYS_lseek, file, offset, whence); });
}
off64_t lseek64(int file, off64_t offset, int whence) noexcept __attribute__((alias("lseek")));
ssize_t readlink(const char* path, char* to, std::size_t size) noexcept {
  return checked(Kind::readlink, [&] { return syscall(SYS_readlink, path, to, size); });
}
int access(const char* path, int mode) noexcept {
  return static_cast<int>(checked(Kind::access, [&] { return syscall(SYS_access, path, mode); }));
}
int socketpair(int domain, int type, int protocol, int* ends) noexcept {
  return static_cast<int>(
      checked(Kind::socketpair, [&] { return syscall(SYS_socketpair, domain, type, protocol, ends); }));
}
int poll(pollfd* files, nfds_t count, int timeout) {
  return static_cast<int>(checked(Kind::poll, [&] { return syscall(SYS_poll, files, count, timeout); }));
}
pid_t waitpid(pid_t child, int* status, int flags) {
  return static_cast<pid_t>(
      checked(Kind::wait, [&] { return syscall(SYS_wait4, child, status, flags, nullptr); }));
}

void* mmap(void* address, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
  return reinterpret_cast<void*>(
      checked(Kind::mmap, [&] { return syscall(SYS_mmap, address, size, protection, flags, file, offset); }));
}
void* mmap64(void* address, std::size_t size, int protection, int flags, int file, off64_t offset) noexcept
    __attribute__((alias("mmap")));

int pthread_create(pthread_t* thread, const pthread_attr_t* how, void* (*body)(void*), void* of) noexcept {
  if (const int error = fault(Kind::thread)) return error;
  return next<decltype(pthread_create)>("pthread_create")(thread, how, body, of);
}

int posix_spawn(pid_t* child, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* how, char* const* words, char* const* settings) {
  if (const int error = fault(Kind::spawn)) return error;
  return next<decltype(posix_spawn)>("posix_spawn")(child, path, actions, how, words, settings);
}

}  // extern "C"

namespace gradus::faults {

void choose_faults() {
  if (const char* const name = std::getenv("GRADUS_FAULT_COUNTS")) {
    const int file = open(name, O_RDWR | O_CLOEXEC);
    void* const memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) abort();
    page = static_cast<Page*>(memory);
    close(file);
  }
  if (const char* const text = std::getenv("GRADUS_FAULT")) choose(text);
}

void begin_faults() { armed = true; }

}  // namespace gradus::faults
