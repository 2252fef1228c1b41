# SPDX-License-Identifier: Apache-2.0
# Tests, tools for tests, benchmarks. Test binaries are few: one for all C++ tests, small tools for the Python ones.
find_package(GTest REQUIRED)
include(GoogleTest)
set(VENV "$ENV{HEARTH_VENV}")
if(NOT VENV)
  set(VENV "$ENV{HOME}/.cache/hearth/venv")
endif()

file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS src/*_test.cc tests/*_test.cc)
add_executable(hearth_tests ${test_sources})
target_link_libraries(hearth_tests PRIVATE hearth_cli yaml-cpp PkgConfig::PCRE2 GTest::gtest GTest::gtest_main)
target_include_directories(hearth_tests PRIVATE ${CMAKE_SOURCE_DIR})
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/base/source_file_test.cc PROPERTIES COMPILE_DEFINITIONS
                            HEARTH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
target_compile_options(hearth_tests PRIVATE -O1)
gtest_discover_tests(hearth_tests WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                     PROPERTIES TIMEOUT 600)

# Programs that tests and examples need.
function(hearth_program name sources)
  list(GET sources 0 source)
  if(EXISTS ${CMAKE_SOURCE_DIR}/${source})
    add_executable(${name} ${sources})
    target_link_libraries(${name} PRIVATE ${ARGN})
  endif()
endfunction()
hearth_program(hearth_tokenize tests/tools/hearth_tokenize.cc hearth_core)
hearth_program(hearth_examples tests/tools/hearth_examples.cc hearth_core)
hearth_program(hearth_template tests/tools/hearth_template.cc hearth_core)
hearth_program(hearth_metrics tests/tools/hearth_metrics.cc hearth_core)
hearth_program(hearth_model_check tests/tools/hearth_model_check.cc hearth_core)
hearth_program(hearth_sampling tests/tools/hearth_sampling.cc hearth_core)
hearth_program(hearth_adapters tests/tools/hearth_adapters.cc hearth_core)
hearth_program(hearth_run_plan tests/tools/hearth_run_plan.cc hearth_runtime)  # nothing above the runtime
hearth_program(hearth_random tests/tools/hearth_random.cc hearth_core)
file(GLOB array_calls CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/tools/array_calls/*.cc)
hearth_program(hearth_array "tests/tools/hearth_array.cc;${array_calls}" hearth_core)
target_compile_options(hearth_array PRIVATE -O1)
hearth_program(hearth_tensors tests/tools/hearth_tensors.cc hearth_core)
foreach(name arrays finetune mlp resnet)
  hearth_program(example_${name} examples/${name}.cc hearth_core)
endforeach()
# A user's operation: its kernel is linked with the whole, and with the runtime alone.
hearth_program(example_custom_operation "examples/custom_operation.cc;examples/softcap_kernel.cc" hearth_core)
hearth_program(example_run_custom_plan "examples/run_custom_plan.cc;examples/softcap_kernel.cc" hearth_runtime)
# The C++ of the documents, compiled; tests/docs_run_test.py runs it.
find_program(PYTHON3 python3 REQUIRED)
set(pages_with_code ${CMAKE_SOURCE_DIR}/docs/library.md ${CMAKE_SOURCE_DIR}/docs/howto/arrays.md)
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/docs_code.cc
                   COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/tools/docs_code.py ${CMAKE_BINARY_DIR}/docs_code.cc ${pages_with_code}
                   DEPENDS ${CMAKE_SOURCE_DIR}/tools/docs_code.py ${pages_with_code})
add_executable(docs_code ${CMAKE_BINARY_DIR}/docs_code.cc)
target_link_libraries(docs_code PRIVATE hearth_core)

# Benchmarks. oneDNN is a yardstick there and no part of the product.
find_library(DNNL dnnl)
hearth_program(attention_bench bench/attention_bench.cc hearth_runtime)
hearth_program(row_program_bench bench/row_program_bench.cc hearth_runtime)
hearth_program(order_bench bench/order_bench.cc hearth_runtime)
hearth_program(plan_bench bench/plan_bench.cc hearth_core)
hearth_program(array_bench bench/array_bench.cc hearth_core)
target_sources(array_bench PRIVATE bench/array_bench_elements.cc bench/array_bench_memory.cc bench/array_bench_products.cc
  bench/array_bench_system.cc)
target_include_directories(array_bench PRIVATE ${CMAKE_SOURCE_DIR})
hearth_program(hearth_probe bench/probe.cc Threads::Threads)
if(TARGET hearth_probe)
  target_compile_options(hearth_probe PRIVATE -march=native -O3)
endif()
if(DNNL)
  hearth_program(gemm_bench bench/gemm_bench.cc hearth_runtime ${DNNL} gomp)
  hearth_program(conv_bench bench/conv_bench.cc hearth_runtime ${DNNL} gomp)
  target_include_directories(gemm_bench PRIVATE ${CMAKE_SOURCE_DIR})
  target_include_directories(conv_bench PRIVATE ${CMAKE_SOURCE_DIR})
endif()

# The same operations and models with every lower instruction set that this machine has.
foreach(isa scalar avx2 avx512 avx512_bf16)
  add_test(NAME isa_${isa} COMMAND ${CMAKE_SOURCE_DIR}/tests/with_isa.sh ${isa} $<TARGET_FILE:hearth_tests>
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(isa_${isa} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
endforeach()

add_test(NAME runtime_link COMMAND ${CMAKE_SOURCE_DIR}/tests/runtime_link_test.sh $<TARGET_FILE:hearth_runtime>
         $<TARGET_FILE:hearth_run_plan>)

# Python tests: with the real libraries as oracle where they need them.
file(GLOB_RECURSE python_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*_test.py)
set(python_environment
    "HEARTH=$<TARGET_FILE:hearth>;HEARTH_BUILD=${CMAKE_BINARY_DIR};HEARTH_SOURCE_DIR=${CMAKE_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1")
foreach(test ${python_tests})
  get_filename_component(name ${test} NAME_WE)
  add_test(NAME ${name} COMMAND ${VENV}/bin/python ${test} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "${python_environment}" TIMEOUT 1800 RUN_SERIAL ON)
endforeach()
foreach(name reference_test resume_test tokenizer_test tokenizer_kinds_test)
  add_test(NAME ${name}_long COMMAND ${VENV}/bin/python ${CMAKE_SOURCE_DIR}/tests/interop/${name}.py --long
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name}_long PROPERTIES ENVIRONMENT "${python_environment}" TIMEOUT 14400 RUN_SERIAL ON LABELS long)
endforeach()
