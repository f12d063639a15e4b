# One library target per floor, and what every target shares.
#
#   tokenyard_floor(sim SOURCES core/event_queue.cpp … LINKS fmt::fmt)
#
# makes the library target `tokenyard::sim`, whose headers are included from the project's root ("sim/core/time.hpp").

# Determinism: no contraction of a*b+c, no processor-specific code.
add_library(tokenyard_options INTERFACE)
target_compile_options(tokenyard_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers -Werror -ffp-contract=off)
target_include_directories(tokenyard_options INTERFACE ${PROJECT_SOURCE_DIR})

function(tokenyard_floor name)
  cmake_parse_arguments(FLOOR "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(tokenyard_${name} STATIC ${FLOOR_SOURCES})
  add_library(tokenyard::${name} ALIAS tokenyard_${name})
  target_link_libraries(tokenyard_${name} PUBLIC tokenyard_options ${FLOOR_LINKS} PRIVATE ${FLOOR_PRIVATE_LINKS})
endfunction()
