# Finds libtorch without PyTorch's own CMake files: first where the user says (-DCMAKE_PREFIX_PATH or -DTorch_DIR of an
# installed PyTorch or an unpacked libtorch), then the wheel in .venv-python.
# PyTorch's own files stop the configuration of a CUDA wheel where no CUDA toolkit is installed. Nothing here includes
# CUDA headers, so a CUDA wheel is linked like a CPU one.
# Defines the imported target torch::library; PyTorch 2.7 or later (older wheels have another string ABI).
file(GLOB _torch_wheel ${CMAKE_SOURCE_DIR}/.venv-python/lib/python3*/site-packages/torch)
if(Torch_DIR)
  list(PREPEND _torch_wheel ${Torch_DIR}/../../..)
endif()
foreach(_prefix ${CMAKE_PREFIX_PATH})  # torch.utils.cmake_prefix_path is torch/share/cmake
  list(PREPEND _torch_wheel ${_prefix} ${_prefix}/../..)
endforeach()
find_path(TorchLibrary_INCLUDE_DIR torch/csrc/api/include/torch/torch.h PATH_SUFFIXES include HINTS ${_torch_wheel}
  NO_DEFAULT_PATH)
if(TorchLibrary_INCLUDE_DIR)
  get_filename_component(TorchLibrary_LIBRARY_DIR ${TorchLibrary_INCLUDE_DIR}/../lib ABSOLUTE)
  foreach(_name torch torch_cpu c10)
    find_library(TorchLibrary_${_name} ${_name} HINTS ${TorchLibrary_LIBRARY_DIR} NO_DEFAULT_PATH)
  endforeach()
  foreach(_file torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS ${TorchLibrary_INCLUDE_DIR}/${_file} AND NOT TorchLibrary_VERSION)
      file(STRINGS ${TorchLibrary_INCLUDE_DIR}/${_file} _version REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH)")
      string(REGEX REPLACE "[^0-9;]" "" _version "${_version}")
      string(REPLACE ";" "." TorchLibrary_VERSION "${_version}")
    endif()
  endforeach()
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TorchLibrary VERSION_VAR TorchLibrary_VERSION
  REQUIRED_VARS TorchLibrary_torch_cpu TorchLibrary_torch TorchLibrary_c10 TorchLibrary_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "`make profile` installs PyTorch into .venv-python, or give -DCMAKE_PREFIX_PATH")
if(TorchLibrary_FOUND AND NOT TARGET torch::library)
  set(_includes ${TorchLibrary_INCLUDE_DIR} ${TorchLibrary_INCLUDE_DIR}/torch/csrc/api/include)
  add_library(torch::library INTERFACE IMPORTED)
  set_target_properties(torch::library PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${_includes}" INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${_includes}"
    # libtorch.so offers nothing itself but brings in the CUDA libraries of a CUDA wheel: it must not be left out as
    # unneeded. What those need in turn (cuDNN and others of the wheel) is found when they are loaded, not here.
    INTERFACE_LINK_LIBRARIES "-Wl,--allow-shlib-undefined;-Wl,--push-state,--no-as-needed;${TorchLibrary_torch};-Wl,--pop-state;${TorchLibrary_torch_cpu};${TorchLibrary_c10}")
endif()
