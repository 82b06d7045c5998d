# OpenBLAS's package has variables, but no target. Also part of the installed package.
if(NOT TARGET gradus::openblas)
  add_library(gradus::openblas INTERFACE IMPORTED)
  target_link_libraries(gradus::openblas INTERFACE ${OpenBLAS_LIBRARIES})
  target_include_directories(gradus::openblas INTERFACE ${OpenBLAS_INCLUDE_DIRS})
endif()
