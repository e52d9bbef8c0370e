#include "heliograd/report/gnuplot.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/report/text_table.h"

extern char** environ;

namespace heliograd {
namespace {

/// A file in memory that a child process reads or writes, so that no pipe can fill up and no temporary file is left
/// behind.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name) : fd_(memfd_create(name, MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (fd_ >= 0) close(fd_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int fd() const { return fd_; }

  /// Writes everything and goes back to the start.
  bool Fill(std::string_view content) {
    while (!content.empty()) {
      const ssize_t written = write(fd_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      content.remove_prefix(static_cast<size_t>(written));
    }
    return lseek(fd_, 0, SEEK_SET) == 0;
  }

  /// Everything from the start, or nothing when reading fails.
  std::optional<std::string> Content() const {
    if (lseek(fd_, 0, SEEK_SET) != 0) return std::nullopt;
    std::string content;
    std::array<char, 1 << 16> buffer;
    while (true) {
      const ssize_t got = read(fd_, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return std::nullopt;
      if (got == 0) return content;
      content.append(buffer.data(), static_cast<size_t>(got));
    }
  }

 private:
  int fd_;
};

struct ProcessOutput {
  int wait_status = 0;
  std::string output;
  std::string messages;
};

tl::unexpected<Error> SystemFailure(int code) {
  return Fail(fmt::format("cannot run gnuplot: {}.", std::strerror(code)));
}

/// Starts gnuplot without anybody's start-up files (-d), script on standard input. Gives the process's id.
Result<pid_t> StartGnuplot(int script, int output, int messages) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
  std::array<char, 8> program{"gnuplot"};
  std::array<char, 3> defaults{"-d"};
  std::array<char*, 3> arguments{program.data(), defaults.data(), nullptr};
  pid_t child = 0;
  const int code = posix_spawnp(&child, program.data(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code == ENOENT) {
    return Fail("gnuplot, which draws figures, is not installed: install the Debian package gnuplot-nox.");
  }
  if (code != 0) return SystemFailure(code);
  return child;
}

Result<ProcessOutput> RunGnuplot(const std::string& script) {
  MemoryFile input("gnuplot-script"), output("gnuplot-figure"), messages("gnuplot-messages");
  if (input.fd() < 0 || output.fd() < 0 || messages.fd() < 0 || !input.Fill(script)) return SystemFailure(errno);
  const Result<pid_t> child = StartGnuplot(input.fd(), output.fd(), messages.fd());
  if (!child) return Fail(child.error());
  ProcessOutput result;
  while (waitpid(*child, &result.wait_status, 0) < 0) {
    if (errno != EINTR) return SystemFailure(errno);
  }
  auto drawn = output.Content();
  auto said = messages.Content();
  if (!drawn || !said) return SystemFailure(errno);
  result.output = std::move(*drawn);
  result.messages = std::move(*said);
  return result;
}

constexpr std::string_view kFont = "DejaVu Sans";

std::string TerminalLine(const Figure& figure, FigureFormat format) {
  switch (format) {
    case FigureFormat::kPng:  // twice the size, so that it is sharp on dense screens
      return fmt::format(
          "set terminal pngcairo size {},{} noenhanced font '{},11' fontscale 1.6 linewidth 2 background 'white'",
          figure.width_px * 2, figure.height_px * 2, kFont);
    case FigureFormat::kPdf:  // one pixel is one point
      return fmt::format(
          "set terminal pdfcairo size {:.3f}in,{:.3f}in noenhanced font '{},12' fontscale 1 background 'white'",
          figure.width_px / 72.0, figure.height_px / 72.0, kFont);
    case FigureFormat::kSvg:
      break;
  }
  return fmt::format("set terminal svg size {},{} dynamic noenhanced font '{},13' background 'white'", figure.width_px,
                     figure.height_px, kFont);
}

/// The line of gnuplot's messages that says what is wrong.
std::string Reason(const std::string& messages) {
  std::string reason;
  for (std::string_view rest = messages; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = Trim(rest.substr(0, end));
    if (!line.empty() && line != "^") reason = line;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return reason.empty() ? "no message" : Printable(reason, true);
}

}  // namespace

Result<FigureFormat> FigureFormatOf(const std::string& path) {
  const size_t dot = path.find_last_of("./");
  const std::string extension = dot == std::string::npos || path[dot] == '/' ? "" : ToLower(path.substr(dot));
  if (extension == ".svg") return FigureFormat::kSvg;
  if (extension == ".png") return FigureFormat::kPng;
  if (extension == ".pdf") return FigureFormat::kPdf;
  return Fail(fmt::format("{}: a figure's name ends in .svg, .png or .pdf, not in {}.", path, Quoted(extension)),
              ErrorKind::kUsage);
}

std::string GnuplotQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : Printable(text, true)) {
    // gnuplot 5.4 misreads a doubled quote at the start of a string, so quotes become apostrophes.
    if (c == '\'') {
      quoted += "’";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

Result<std::string> RenderFigure(const Figure& figure, FigureFormat format) {
  const std::string script = fmt::format("set encoding utf8\n{}\n{}\n", TerminalLine(figure, format), figure.script);
  Result<ProcessOutput> run = RunGnuplot(script);
  if (!run) return Fail(run.error());
  if (!WIFEXITED(run->wait_status) || WEXITSTATUS(run->wait_status) != 0) {
    return Fail(fmt::format("gnuplot could not draw the figure: {}.", Reason(run->messages)));
  }
  if (run->output.empty()) return Fail(fmt::format("gnuplot drew nothing: {}.", Reason(run->messages)));
  return std::move(run->output);
}

Result<void> WriteFigure(const Figure& figure, const std::string& path) {
  const Result<FigureFormat> format = FigureFormatOf(path);
  if (!format) return Fail(format.error());
  const Result<std::string> bytes = RenderFigure(figure, *format);
  if (!bytes) return Fail(bytes.error());
  return WriteFile(path, *bytes);
}

}  // namespace heliograd
