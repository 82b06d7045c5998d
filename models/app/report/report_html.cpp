#include "models/app/report/report_html.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>

#include "gradus/simd/isa.hpp"
#include "models/data/printable.hpp"

namespace gradus {

namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : printable_lines(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : digits[three >> (18U - 6U * static_cast<unsigned>(k)) & 63U];
  }
  return text;
}

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --line: #c8c8c8; --soft: #f4f4f2; --link: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --line: #4a4a4a; --soft: #262626; --link: #56b4e9; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .15rem 1.2rem .15rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; }
.facts { display: flex; flex-wrap: wrap; gap: 0 3rem; }
pre { white-space: pre-wrap; background: var(--soft); padding: .8rem; overflow-x: auto; }
figure { margin: 1.5rem 0; } figcaption { font-size: .93rem; }
figure img { max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line); display: block; }
.wide { overflow: auto; max-height: 48rem; border: 1px solid var(--line); } .wide img { max-width: none; border: 0; }
.note { border-left: 4px solid #d55e00; padding-left: .8rem; }
a { color: var(--link); }
)";

std::string facts(std::string_view heading, const Facts& rows) {
  if (rows.empty()) return {};
  std::string text = fmt::format("<section>\n<h3>{}</h3>\n<table>\n", heading);
  for (const auto& [what, value] : rows)
    text += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escaped(what), escaped(value));
  return text + "</table>\n</section>\n";
}

// The first epochs, the last, and some between: what a table can show.
std::string scores(const History& history) {
  if (history.epochs.empty()) return {};
  std::string text = "<h2>Scores by epoch</h2>\n<table>\n<tr><th class=\"n\" scope=\"col\">epoch</th>";
  for (const std::string& name : history.names)
    text += fmt::format("<th class=\"n\" scope=\"col\">{}</th>", escaped(name));
  text += "</tr>\n";
  constexpr std::size_t shown = 10;
  const std::size_t count = history.epochs.size(), rows = std::min(count, shown);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t epoch = rows < 2 ? 0 : row * (count - 1) / (rows - 1);
    text += fmt::format("<tr><td class=\"n\">{}</td>", epoch + 1);
    for (const double value : history.epochs[epoch])
      text += fmt::format("<td class=\"n\">{:.6g}</td>", value);
    text += "</tr>\n";
  }
  return text + "</table>\n";
}

std::string figure(const DrawnPicture& picture) {
  return fmt::format(
      "<figure>\n<div{}><img alt=\"{}\" "
      "src=\"data:image/svg+xml;base64,{}\"></div>\n<figcaption><strong>{}.</strong> "
      "{}</figcaption>\n</figure>\n",
      picture.wide ? " class=\"wide\"" : "", escaped(picture.title), base64(picture.svg),
      escaped(picture.title), escaped(picture.caption));
}

// The value of a key in a text file whose lines are "key", a separator and a value; "unknown" if there is
// none.
std::string line_of(const char* path, std::string_view key, char separator) try {
  std::ifstream file(path);
  file.exceptions(std::ios::badbit);  // or memory that runs out would be the end of the file
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find(separator);
    if (!line.starts_with(key) || at == std::string::npos) continue;
    std::string value = line.substr(at + 1);
    std::erase(value, '"');
    return value.substr(std::min(value.find_first_not_of(' '), value.size()));
  }
  return "unknown";
} catch (const std::ios_base::failure&) {
  return "unknown";
}

}  // namespace

Facts machine_facts() {
  utsname system{};
  uname(&system);
  return {
      {"processor", line_of("/proc/cpuinfo", "model name", ':')},
      {"kernels for", std::string(to_string(current_isa()))},
      {"system", fmt::format("{}, Linux {}", line_of("/etc/os-release", "PRETTY_NAME", '='), system.release)},
      {"compiler", "g++ " __VERSION__}};
}

std::string report_html(const RunReport& report, const std::vector<DrawnPicture>& pictures,
                        const std::vector<std::string>& left_out, const Facts& machine) {
  const History& history = report.history;
  Facts course{{"epochs", fmt::format("{} of {}", history.epochs.size(), history.planned_epochs)},
               {"steps an epoch", fmt::format("{}", history.steps)},
               {"time", fmt::format("{:.3g} s", report.seconds)}};
  if (!history.stopped.empty()) course.emplace_back("stopped", history.stopped);
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<title>gradus: "
      "{0}</title>\n<style>{1}</style>\n</head>\n"
      "<body>\n<h1>{0}</h1>\n<p>{2}. Trained on {3:%Y-%m-%d at %H:%M} UTC.</p>\n<h2>What it came to</h2>\n",
      escaped(report.name), style, escaped(report.about), fmt::gmtime(std::time(nullptr)));
  text += "<div class=\"facts\">\n" + facts("Figures", report.figures) + facts("Course", course) + "</div>\n";
  for (const std::string& line : left_out) text += fmt::format("<p class=\"note\">{}</p>\n", escaped(line));
  if (!pictures.empty()) text += "<h2>Pictures</h2>\n";
  for (const DrawnPicture& picture : pictures) text += figure(picture);
  text += scores(history);
  text += "<h2>What was trained, on what</h2>\n<div class=\"facts\">\n" + facts("Data", report.data) +
          facts("Settings", report.settings) + facts("Machine", machine) + "</div>\n";
  if (!report.summary.empty())
    text += fmt::format("<h2>Layers</h2>\n<pre>{}</pre>\n", escaped(report.summary));
  text += fmt::format(
      "<h2>How to repeat it</h2>\n<pre>{}</pre>\n<p>The same seed, data and kernels give the same numbers to "
      "the last "
      "bit; another processor may round otherwise. In the project's folder, <code>./run</code> stands for "
      "<code>gradus</code> and builds it first.</p>\n</body>\n</html>\n",
      escaped(report.command));
  return text;
}

}  // namespace gradus
