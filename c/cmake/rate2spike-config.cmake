# The library that c/build made, as the target rate2spike::rate2spike.
#
# RATE2SPIKE_TARGET is the processor: a folder of c/lib. Without it, this machine.
if(NOT RATE2SPIKE_TARGET)
    if(CMAKE_CROSSCOMPILING)
        message(FATAL_ERROR "rate2spike: set RATE2SPIKE_TARGET to a folder of c/lib")
    endif()
    set(RATE2SPIKE_TARGET "${CMAKE_SYSTEM_PROCESSOR}-unknown-linux-gnu")
endif()
get_filename_component(_rate2spike "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(_rate2spike_library "${_rate2spike}/lib/${RATE2SPIKE_TARGET}/librate2spike.a")
if(NOT EXISTS "${_rate2spike_library}")
    message(FATAL_ERROR
        "rate2spike: no ${_rate2spike_library}; make it with ${_rate2spike}/build ${RATE2SPIKE_TARGET}")
endif()
if(NOT TARGET rate2spike::rate2spike)
    add_library(rate2spike::rate2spike STATIC IMPORTED)
    set_target_properties(rate2spike::rate2spike PROPERTIES
        IMPORTED_LOCATION "${_rate2spike_library}"
        INTERFACE_INCLUDE_DIRECTORIES "${_rate2spike}/include")
endif()
