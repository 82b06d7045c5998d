#pragma once

#include <string>

#include "models/app/plot/picture.hpp"

namespace gradus {

/// The two kinds of files that pictures are written as.
enum class ImageFormat { svg, png };

/// "svg" or "png".
std::string_view ending(ImageFormat format);

/// Whether the program that draws charts, or graphs, is installed; if not, what to do about it.
bool can_draw_charts();
bool can_draw_graphs();
extern const std::string_view how_to_get_gnuplot;
extern const std::string_view how_to_get_dot;

/// The gnuplot script that draws a picture. All pictures have one style, which is legible in grey and to
/// colour-blind readers.
std::string gnuplot_script(const Picture& picture, ImageFormat format);

/// A picture, by gnuplot; Error when it is not installed or fails.
std::string drawn_by_gnuplot(const Picture& picture, ImageFormat format);

/// A Graphviz digraph, by dot; Error when it is not installed or fails.
std::string drawn_by_dot(const std::string& dot, ImageFormat format);

}  // namespace gradus
