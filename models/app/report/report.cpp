#include "models/app/report/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "gradus/data/atomic_file.hpp"
#include "models/app/plot/draw.hpp"
#include "models/app/progress/progress.hpp"
#include "models/app/report/report_html.hpp"

namespace gradus {

namespace {

constexpr std::string_view report_name = "report.html";
constexpr std::string_view graph_name = "graph";

// Draws everything, keeps it to be written, and remembers what was left out and why.
class Album {
 public:
  Album(std::filesystem::path folder, bool possible, std::string_view remedy)
      : folder_(std::move(folder)), possible_(possible), remedy_(remedy) {}

  template <class Draw>
  void add(const std::string& name, const std::string& title, const std::string& caption, Draw draw) {
    if (!possible_) {
      left_out_.push_back(fmt::format("{0}.svg, {0}.png", name));
      return;
    }
    DrawnPicture drawn{title, caption, draw(ImageFormat::svg), false};
    files_.emplace_back(folder_ / (name + ".svg"), drawn.svg);
    files_.emplace_back(folder_ / (name + ".png"), draw(ImageFormat::png));
    drawn_.push_back(std::move(drawn));
  }

  void write_files() const {
    for (const auto& [path, content] : files_) write_atomically(path, content);
  }

  void finish(std::vector<DrawnPicture>& drawn, std::vector<std::string>& left_out) {
    std::ranges::move(drawn_, std::back_inserter(drawn));
    if (!left_out_.empty())
      left_out.push_back(fmt::format("left out {}: {}", fmt::join(left_out_, ", "), remedy_));
  }

 private:
  std::filesystem::path folder_;
  bool possible_;
  std::string_view remedy_;
  std::vector<DrawnPicture> drawn_;
  std::vector<std::pair<std::filesystem::path, std::string>> files_;
  std::vector<std::string> left_out_;
};

}  // namespace

std::filesystem::path report_file(const std::filesystem::path& folder) { return folder / report_name; }

void require_report_folder(const std::filesystem::path& folder) {
  require_writable_folder(folder, report_name, "report_folder");
}

void write_report(const std::filesystem::path& folder, const RunReport& report,
                  const std::function<void(std::string_view)>& print) {
  std::vector<DrawnPicture> drawn;
  std::vector<std::string> left_out;
  std::optional<Progress> progress("drawing the report");
  Album charts(folder, can_draw_charts(), how_to_get_gnuplot);
  for (const Picture& picture : report.pictures)
    charts.add(picture.name, picture.title, picture.caption,
               [&](ImageFormat format) { return drawn_by_gnuplot(picture, format); });
  charts.finish(drawn, left_out);
  Album graphs(folder, can_draw_graphs(), how_to_get_dot);
  if (!report.graph.empty())
    graphs.add(std::string(graph_name), "The graph of a training step",
               "Layers, loss, gradients and optimizer, with the shapes of what passes between them." +
                   (report.graph_note.empty() ? "" : " " + report.graph_note),
               [&](ImageFormat format) { return drawn_by_dot(report.graph, format); });
  const std::size_t charts_drawn = drawn.size();
  graphs.finish(drawn, left_out);
  for (std::size_t i = charts_drawn; i < drawn.size(); ++i) drawn[i].wide = true;
  write_atomically(folder / report_name, report_html(report, drawn, left_out, machine_facts()));
  // After the report, which holds them all: a file in the way of one picture costs that alone.
  charts.write_files();
  graphs.write_files();
  progress.reset();
  print(fmt::format("wrote {} and {} pictures, each as SVG and PNG\n", (folder / report_name).string(),
                    drawn.size()));
  for (const std::string& line : left_out) print(line + "\n");
}

}  // namespace gradus
