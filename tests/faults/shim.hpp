#pragma once

/// How the shim begins.
namespace gradus::faults {

/// Reads what the environment asks for.
void choose_faults();
/// From here on calls are counted, and fail.
void begin_faults();

}  // namespace gradus::faults
