#include "heliograd/feed/weather_formats.h"

// The assembler copies the file into the program as it is, which takes no time to compile or to start.
// HELIOGRAD_TURIN_WEATHER is the file's path, set by the build.
asm(".pushsection .rodata\n"
    ".global heliograd_turin_weather_begin\n"
    ".global heliograd_turin_weather_end\n"
    "heliograd_turin_weather_begin:\n"
    ".incbin \"" HELIOGRAD_TURIN_WEATHER
    "\"\n"
    "heliograd_turin_weather_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" {
extern const char heliograd_turin_weather_begin[];
extern const char heliograd_turin_weather_end[];
}

namespace heliograd {

std::string_view BuiltinTurinWeather() { return {heliograd_turin_weather_begin, heliograd_turin_weather_end}; }

}  // namespace heliograd
