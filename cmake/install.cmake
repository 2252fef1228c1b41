# SPDX-License-Identifier: Apache-2.0
# find_package(hearth) gives hearth::hearth_core (everything) and hearth::hearth_runtime (plans only).
include(CMakePackageConfigHelpers)
install(TARGETS hearth_runtime hearth_core EXPORT hearthTargets ARCHIVE DESTINATION lib)
install(DIRECTORY src/ DESTINATION include/hearth FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(EXPORT hearthTargets NAMESPACE hearth:: DESTINATION lib/cmake/hearth)
configure_package_config_file(cmake/hearthConfig.cmake.in ${CMAKE_BINARY_DIR}/hearthConfig.cmake INSTALL_DESTINATION lib/cmake/hearth)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/hearthConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/hearthConfig.cmake ${CMAKE_BINARY_DIR}/hearthConfigVersion.cmake DESTINATION lib/cmake/hearth)
