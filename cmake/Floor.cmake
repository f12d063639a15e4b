# One library target per floor, and what every target shares.
#
#   tokenyard_floor(sim SOURCES core/event_queue.cpp … LINKS fmt::fmt)
#   tokenyard_precompile(tokenyard_sim <fmt/format.h>)
#
# makes the library target `tokenyard::sim`, whose headers are included from the project's root ("sim/core/time.hpp").
# Headers from outside that most of its files read are parsed once: without that, they are most of a build's time. Each
# file still includes what it uses; presets without precompiled headers (clang, asan-ubsan) hold it to that.

# Determinism: no contraction of a*b+c, no processor-specific code.
add_library(tokenyard_options INTERFACE)
target_compile_options(tokenyard_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers -Werror -ffp-contract=off)
target_include_directories(tokenyard_options INTERFACE ${PROJECT_SOURCE_DIR})

function(tokenyard_precompile target)
  target_precompile_headers(${target} PRIVATE
    <algorithm> <array> <cmath> <cstdint> <filesystem> <fstream> <functional> <map> <memory> <optional> <ranges> <set>
    <span> <string> <string_view> <vector> <fmt/format.h> ${ARGN})
endfunction()

function(tokenyard_floor name)
  cmake_parse_arguments(FLOOR "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(tokenyard_${name} STATIC ${FLOOR_SOURCES})
  add_library(tokenyard::${name} ALIAS tokenyard_${name})
  target_link_libraries(tokenyard_${name} PUBLIC tokenyard_options ${FLOOR_LINKS} PRIVATE ${FLOOR_PRIVATE_LINKS})
endfunction()
