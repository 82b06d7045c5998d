#include "models/app/cli/tutorials.hpp"

#include <fmt/format.h>

#include <cmath>

#include "gradus/data/atomic_file.hpp"
#include "models/app/cli/command_line.hpp"
#include "models/app/cli/standard_output.hpp"
#include "models/app/cli/training_run.hpp"
#include "models/app/progress/progress.hpp"
#include "models/data/json.hpp"
#include "models/tutorials/all.hpp"

namespace gradus::cli {

namespace {

struct Row {
  std::string tutorial;
  Figure figure;
  double ours;

  // False for NaN.
  bool ok() const { return std::abs(ours - figure.expected) <= allowed(); }
  double allowed() const {
    return figure.relative ? figure.tolerance * std::abs(figure.expected) : figure.tolerance;
  }
};

std::vector<Row> rows_of(const Tutorial& tutorial, const ReproduceOptions& options) {
  const Result result =
      with_progress("training " + std::string(tutorial.name()), [&] { return tutorial.reproduce(options); });
  std::vector<Row> rows;
  const bool single = options.precision == Precision::single;
  for (Figure figure : tutorial.figures()) {
    const double ours = result.figures.find(figure.quantity)->second;
    if (single) figure.expected = figure.expected_in_single(ours);
    if (single) figure.tolerance = figure.single_tolerance;
    rows.push_back({std::string(tutorial.name()), figure, ours});
  }
  return rows;
}

void print_header() {
  print("{:<14} {:<21} {:>19} {:>22} {:>22}  {}\n", "tutorial", "quantity", "published", "ours", "expected",
        "ok");
}

void print_row(const Row& row) {
  const auto published = row.figure.published ? fmt::format("{}", *row.figure.published) : "-";
  print("{:<14} {:<21} {:>19} {:>22.16g} {:>22.16g}  {}\n", row.tutorial, row.figure.quantity, published,
        row.ours, row.figure.expected, row.ok() ? "ok" : "NO");
  flush_output();
}

OrderedJson to_json(const std::vector<Row>& rows) {
  auto array = OrderedJson::array();
  for (const Row& row : rows) {
    OrderedJson object;
    object["tutorial"] = row.tutorial;
    object["quantity"] = row.figure.quantity;
    object["published"] = row.figure.published ? OrderedJson(*row.figure.published) : nullptr;
    object["expected"] = row.figure.expected;
    object["ours"] = row.ours;
    object["tolerance"] = row.figure.tolerance;
    object["ok"] = row.ok();
    array.push_back(object);
  }
  return array;
}

}  // namespace

int list() {
  for (const Tutorial* tutorial : gradus::tutorials())
    print("{:<14} {}\n", tutorial->name(), tutorial->summary());
  return 0;
}

int tutorials(const TutorialsOptions& options) {
  if (!options.json.empty()) require_writable(options.json);
  std::vector<Row> all;
  std::string notes;
  print_header();
  for (const Tutorial* tutorial : gradus::tutorials()) {
    if (const auto why = tutorial->missing(options.reproduce.data)) {
      print("{:<14} left out: its data was not found (see below)\n", tutorial->name());
      notes += "\n" + with_options(*why, {"data", "fetch=mnist"}) + "\n";
      continue;
    }
    for (const Row& row : rows_of(*tutorial, options.reproduce)) {
      print_row(row);
      all.push_back(row);
    }
  }
  std::size_t bad = 0;
  for (const Row& row : all) bad += row.ok() ? 0 : 1;
  print("{} of {} figures within tolerance\n{}", all.size() - bad, all.size(), notes);
  if (!options.json.empty()) write_atomically(options.json, json_text(to_json(all), 2) + "\n");
  return bad == 0 ? 0 : 1;
}

int train(const std::string& name, TrainOptions options, const std::string& out) {
  const Tutorial& tutorial = find_tutorial(name);
  run_and_report(options, options.data, out, [&] {
    RunReport report = tutorial.train(options);
    report.graph_note = fmt::format("See also 'gradus graph {} --what plan'.", name);
    std::vector<std::string> words{"gradus", "train", name};
    for (const auto& [option, value] : report.options)
      words.insert(words.end(), {option_name(option), value});
    words.insert(words.end(), {"--out", out});
    report.command = shell_command(words);
    return report;
  });
  return 0;
}

}  // namespace gradus::cli
