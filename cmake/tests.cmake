find_package(GTest REQUIRED)
include(GoogleTest)

file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS src/*_test.cc tests/*_test.cc)
file(GLOB_RECURSE fuzz_sources CONFIGURE_DEPENDS src/*/fuzz_*.cc)
add_executable(hearth_tests ${test_sources})
target_link_libraries(hearth_tests PRIVATE hearth_cli yaml-cpp GTest::gtest GTest::gtest_main)
target_include_directories(hearth_tests PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_definitions(hearth_tests PRIVATE HEARTH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
