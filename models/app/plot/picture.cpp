#include "models/app/plot/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

namespace gradus {

namespace {

constexpr std::size_t most_points = 400;

// The epochs to be drawn: all, or so many, among them the first and the last.
std::vector<std::size_t> thinned(std::size_t count) {
  const std::size_t kept = std::min(count, most_points);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < kept; ++i) chosen.push_back(kept < 2 ? i : i * (count - 1) / (kept - 1));
  return chosen;
}

Series course(const History& history, const std::string& score, std::string name) {
  Series series{std::move(name), {}, {}};
  const std::vector<double> values = history.of(score);
  for (const std::size_t i : thinned(values.size())) {
    series.x.push_back(static_cast<double>(i + 1));
    series.y.push_back(values[i]);
  }
  constexpr std::size_t countable = 40;
  if (values.size() <= countable) series.style = Series::Style::both;
  return series;
}

// Whether a logarithmic axis shows more: all above zero, over more than a decade and a half.
bool spans_decades(const std::vector<Series>& series) {
  double least = INFINITY, most = 0;
  for (const Series& s : series)
    for (const double y : s.y) {
      least = std::min(least, y);
      most = std::max(most, y);
    }
  constexpr double wide = 30;
  return least > 0 && most > wide * least;
}

}  // namespace

std::vector<Picture> curves(const History& history,
                            const std::vector<std::pair<std::string, std::string>>& units) {
  std::vector<Picture> pictures;
  if (history.epochs.empty()) return pictures;
  for (const std::string& name : history.names) {
    if (name.starts_with("val_")) continue;
    const auto unit = std::ranges::find(units, name, &std::pair<std::string, std::string>::first);
    const std::string label = unit == units.end() ? name : unit->second;
    Chart chart{{"epoch"}, {label}, {course(history, name, "training")}};
    const bool validated = std::ranges::find(history.names, "val_" + name) != history.names.end();
    if (validated) chart.series.push_back(course(history, "val_" + name, "validation"));
    chart.y.logarithmic = spans_decades(chart.series);
    const std::string first_word = label.substr(0, label.find(" ("));
    pictures.push_back({name,
                        fmt::format("{}{} over {} epochs", static_cast<char>(std::toupper(first_word[0])),
                                    first_word.substr(1), history.epochs.size()),
                        fmt::format("{}: the mean over each epoch's steps{}.", label,
                                    validated ? ", and over the validation data after each epoch" : ""),
                        chart});
  }
  return pictures;
}

Picture loss_curves(const History& history, const std::vector<std::pair<std::string, std::string>>& texts,
                    const std::string& unit) {
  Chart chart{{"epoch"}, {fmt::format("loss ({})", unit)}, {}};
  for (const auto& [score, text] : texts)
    if (!history.epochs.empty()) chart.series.push_back(course(history, score, text));
  chart.y.logarithmic = spans_decades(chart.series);
  return {"loss", fmt::format("The loss over {} epochs", history.epochs.size()),
          "Means over each epoch's steps, taken before their updates.", chart};
}

std::vector<double> spread(double from, double to, std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(from + (to - from) * static_cast<double>(i) / static_cast<double>(count - 1));
  return values;
}

std::vector<double> grid_of(const Map& map) {
  std::vector<double> points;
  for (const double y : spread(map.y.from.value(), map.y.to.value(), map.rows))
    for (const double x : spread(map.x.from.value(), map.x.to.value(), map.columns))
      points.insert(points.end(), {x, y});
  return points;
}

}  // namespace gradus
