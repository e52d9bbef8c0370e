# Finds HiGHS through its C interface: a system installation first, then the pinned wheel in .venv.
# (The wheel's own CMake file names a folder that does not exist, and its C++ classes use another string ABI.)
# Defines the imported target HiGHS::capi.
file(GLOB _highs_wheel ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/highsbox/highs_dist)
find_path(HiGHS_INCLUDE_DIR interfaces/highs_c_api.h PATH_SUFFIXES highs HINTS ${_highs_wheel}/include)
find_library(HiGHS_LIBRARY highs HINTS ${_highs_wheel}/lib)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(HiGHS REQUIRED_VARS HiGHS_LIBRARY HiGHS_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run tools/setup.sh, which installs it into .venv")
if(HiGHS_FOUND AND NOT TARGET HiGHS::capi)
  add_library(HiGHS::capi SHARED IMPORTED)
  set_target_properties(HiGHS::capi PROPERTIES
    IMPORTED_LOCATION ${HiGHS_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${HiGHS_INCLUDE_DIR}
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${HiGHS_INCLUDE_DIR})
endif()
