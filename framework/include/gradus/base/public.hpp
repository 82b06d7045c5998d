#pragma once

/// Stands before the name of namespace gradus in public headers: what they declare is exported by the shared
/// libraries, and all else is hidden. A header without it is internal and not installed. (A macro, as an
/// attribute's string confuses clang-format's closing comments.)
#define GRADUS_PUBLIC [[gnu::visibility("default")]]
