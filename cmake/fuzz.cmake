# SPDX-License-Identifier: Apache-2.0
# Fuzz targets: every src/**/fuzz_*.cc as a program fuzz_<name>, with clang's libFuzzer, AddressSanitizer and UBSan.
# tools/fuzz configures a build folder of its own with -DHEARTH_FUZZ=ON and runs them. The plain test run replays their
# corpora instead (*_corpus_test.cc), with any compiler.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "HEARTH_FUZZ needs clang: cmake -DCMAKE_CXX_COMPILER=clang++ (tools/fuzz does it)")
endif()

# What reads files from outside lies in these folders and files, and they need no others.
set(fuzzed_sources src/array/npy_header.cc src/cli/flags.cc src/cli/flags_config.cc src/cli/flags_value.cc)
foreach(folder base plan io text text/jinja)
  file(GLOB found CONFIGURE_DEPENDS src/${folder}/*.cc)
  list(APPEND fuzzed_sources ${found})
endforeach()
list(FILTER fuzzed_sources EXCLUDE REGEX "(_test\\.cc|/fuzz_[^/]*\\.cc)$")
# Warnings are the main build's business: clang has others than gcc.
set(fuzz_options -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1 -Wno-error)

add_library(hearth_fuzzed STATIC EXCLUDE_FROM_ALL ${fuzzed_sources})
target_include_directories(hearth_fuzzed PUBLIC src)
target_compile_options(hearth_fuzzed PUBLIC ${fuzz_options} PRIVATE -fsanitize=fuzzer-no-link)
target_link_options(hearth_fuzzed PUBLIC ${fuzz_options})
target_link_libraries(hearth_fuzzed PUBLIC Threads::Threads nlohmann_json::nlohmann_json fmt::fmt PkgConfig::PCRE2 PkgConfig::UTF8PROC PkgConfig::HWY
                                           ZLIB::ZLIB yaml-cpp)

add_custom_target(fuzzers)
file(GLOB_RECURSE fuzz_targets CONFIGURE_DEPENDS src/fuzz_*.cc)
list(FILTER fuzz_targets EXCLUDE REGEX "_test\\.cc$")
foreach(source ${fuzz_targets})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE hearth_fuzzed)
  add_dependencies(fuzzers ${name})
endforeach()
