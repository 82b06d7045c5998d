#include "models/app/plot/external.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "gradus/base/error.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX wants it declared by the program

namespace gradus {

namespace {

[[noreturn]] void fail(const std::filesystem::path& program, int error) {
  throw Error(fmt::format("{}: cannot be run: {}", program.string(), std::strerror(error)));
}

// Both ends of a channel to the child. Sockets, because writing to one whose reader is gone can be an error
// instead of a signal.
struct Channel {
  std::array<int, 2> ends{-1, -1};

  explicit Channel(const std::filesystem::path& program) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail(program, errno);
  }
  ~Channel() {
    close_end(0);
    close_end(1);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void close_end(std::size_t i) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
};

constexpr std::size_t ours = 0;
constexpr std::size_t theirs = 1;

// Appends what there is to read; closes at the end. 0, or the system's reason.
int take(Channel& from, std::string& into) {
  std::array<char, 1 << 16> buffer{};
  const ssize_t count = read(from.ends[ours], buffer.data(), buffer.size());
  if (count > 0)
    into.append(buffer.data(), static_cast<std::size_t>(count));
  else if (count == 0)
    from.close_end(ours);
  return count < 0 && errno != EINTR ? errno : 0;
}

// 0, or the system's reason.
int give(Channel& to, std::string_view& left) {
  const ssize_t count = send(to.ends[ours], left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count > 0)
    left.remove_prefix(static_cast<std::size_t>(count));
  else if (count < 0 && (errno == EPIPE || errno == ECONNRESET))
    left = {};  // it stopped reading
  else if (count < 0 && errno != EINTR && errno != EAGAIN)
    return errno;
  if (left.empty()) to.close_end(ours);
  return 0;
}

}  // namespace

// By hand: a stream would take memory that runs out for the end of the folders.
std::optional<std::filesystem::path> find_program(std::string_view name) {
  constexpr std::array absent{ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG};
  const char* const path = std::getenv("PATH");
  std::string_view folders = path == nullptr ? "" : path;
  std::pair<std::filesystem::path, int> doubtful;  // where the system failed to say, and why
  while (!folders.empty()) {
    const std::string_view folder = folders.substr(0, folders.find(':'));
    folders.remove_prefix(std::min(folders.size(), folder.size() + 1));
    const std::filesystem::path candidate = std::filesystem::path(folder.empty() ? "." : folder) / name;
    std::error_code error;
    const bool is_file = std::filesystem::is_regular_file(candidate, error);
    if (is_file && access(candidate.c_str(), X_OK) == 0) return candidate;
    const int reason = is_file ? errno : error.value();
    if (reason != 0 && std::ranges::find(absent, reason) == absent.end()) doubtful = {candidate, reason};
  }
  if (doubtful.second != 0) fail(doubtful.first, doubtful.second);
  return std::nullopt;
}

Answer run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                   std::string_view input) {
  Channel in(program), out(program), err(program);
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[theirs], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.ends[theirs], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.ends[theirs], STDERR_FILENO);
  pid_t child = -1;
  const int error = posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(program, error);
  for (Channel* channel : {&in, &out, &err}) channel->close_end(theirs);

  Answer answer;
  int failed = 0;
  if (input.empty()) in.close_end(ours);
  while (failed == 0 && (out.ends[ours] >= 0 || err.ends[ours] >= 0)) {
    // Closed ends are -1, which poll passes over.
    std::array<pollfd, 3> ends{
        {{in.ends[ours], POLLOUT, 0}, {out.ends[ours], POLLIN, 0}, {err.ends[ours], POLLIN, 0}}};
    if (poll(ends.data(), ends.size(), -1) < 0) {
      if (errno != EINTR) failed = errno;
      continue;
    }
    if (ends[0].revents != 0) failed = give(in, input);
    if (failed == 0 && ends[1].revents != 0) failed = take(out, answer.output);
    if (failed == 0 && ends[2].revents != 0) failed = take(err, answer.errors);
  }
  // A child that is still writing ends when nobody reads.
  for (Channel* channel : {&in, &out, &err}) channel->close_end(ours);
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail(program, errno);
  if (failed != 0) fail(program, failed);
  constexpr int signalled = 128;
  answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : signalled + WTERMSIG(status);
  return answer;
}

}  // namespace gradus
