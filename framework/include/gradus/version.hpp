#pragma once

namespace gradus {

/// Semantic: what worked with a release goes on working until the first number changes (while that is 0: the
/// second). Also the package's version for find_package and pkg-config.
inline constexpr int version_major = 0;
inline constexpr int version_minor = 2;
inline constexpr int version_patch = 0;
inline constexpr char version[] = "0.2.0";

}  // namespace gradus
