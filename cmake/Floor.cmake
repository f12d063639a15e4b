# One library target per floor, and what every target shares.
#
#   tokenyard_floor(sim SOURCES core/event_queue.cpp … LINKS fmt::fmt PRECOMPILED <nlohmann/json.hpp>)
#
# makes the library target `tokenyard::sim`, whose headers are included from the project's root ("sim/core/time.hpp").

# Determinism: no contraction of a*b+c, no processor-specific code.
add_library(tokenyard_options INTERFACE)
target_compile_options(tokenyard_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers -Werror -ffp-contract=off
  # For the compiler's own time: ccache sees precompiled headers; no garbage collection below 1 GiB.
  $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
  $<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-heapsize=1048576>)
target_include_directories(tokenyard_options INTERFACE ${PROJECT_SOURCE_DIR})

# What most sources include, directly or not, is compiled once: headers of the standard and of others, never the project's own.
# No source relies on it: each includes what it uses, and the presets of clang, which `./dev check` builds, precompile nothing.
# nlohmann/json.hpp is not here: whoever gets it instantiates its parser, a second in every source.
set(TOKENYARD_PRECOMPILED
  <algorithm> <array> <cmath> <cstdint> <deque> <filesystem> <functional> <limits> <map> <memory> <mutex> <numeric> <optional>
  <queue> <set> <span> <sstream> <string> <string_view> <unordered_map> <utility> <vector> <fmt/format.h> <nlohmann/json_fwd.hpp>)

# The lowest floor's serves all targets but those that name more headers.
function(tokenyard_precompile target)
  if(target STREQUAL tokenyard_sim OR ARGN)
    target_precompile_headers(${target} PRIVATE ${TOKENYARD_PRECOMPILED} ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM tokenyard_sim)
  endif()
endfunction()

function(tokenyard_floor name)
  cmake_parse_arguments(FLOOR "" "" "SOURCES;LINKS;PRIVATE_LINKS;PRECOMPILED" ${ARGN})
  add_library(tokenyard_${name} STATIC ${FLOOR_SOURCES})
  add_library(tokenyard::${name} ALIAS tokenyard_${name})
  target_link_libraries(tokenyard_${name} PUBLIC tokenyard_options ${FLOOR_LINKS} PRIVATE ${FLOOR_PRIVATE_LINKS})
  tokenyard_precompile(tokenyard_${name} ${FLOOR_PRECOMPILED})
endfunction()
