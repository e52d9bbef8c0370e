/* Energy of parts of a program, measured from within it: the C interface of heliograd (libheliograd.so).
 *
 * A meter samples GPUs and processors on a thread of its own. The program marks windows of time; their joules are worked
 * out later, from the sensor's own updates, so marking costs less than a microsecond and never waits for the device.
 *
 *     heliograd_meter* meter = NULL;
 *     if (heliograd_open(NULL, &meter) != HELIOGRAD_OK) puts(heliograd_last_error());
 *     int64_t window = heliograd_begin(meter, "epoch");
 *     train();
 *     heliograd_end(meter, window);
 *     heliograd_energy energy = {sizeof energy};
 *     heliograd_window_energy(meter, window, 0, &energy);
 *     heliograd_close(meter);
 *
 * Every function may be called from any thread, but none while heliograd_close runs. A meter of NULL is accepted
 * everywhere and does nothing (HELIOGRAD_USAGE), so that a program goes on where measuring is not possible.
 * Windows hold what the device does between two instants. Work handed to a device that computes behind the program's
 * back must be waited for, or marked with stamps of the device's own events (heliograd_add).
 */
#ifndef HELIOGRAD_H_
#define HELIOGRAD_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HELIOGRAD_API __attribute__((visibility("default")))
#else
#define HELIOGRAD_API
#endif

/* Raised when a function or a struct changes its meaning; fields that are added at the end of a struct do not raise it. */
#define HELIOGRAD_ABI 1

enum heliograd_status {
  HELIOGRAD_OK = 0,
  HELIOGRAD_FAILED = 1,
  HELIOGRAD_USAGE = 2,      /* an argument is wrong */
  HELIOGRAD_PERMISSION = 4, /* all that can be measured needs a permission */
  HELIOGRAD_DEVICE = 5      /* nothing to measure, or it went away */
};

typedef struct heliograd_meter heliograd_meter;

/* `size` is sizeof(heliograd_options). Zero in every other field takes the default. */
typedef struct heliograd_options {
  size_t size;
  const char* gpus;       /* numbers or starts of UUIDs, comma-separated; NULL: CUDA_VISIBLE_DEVICES, else all */
  const char* output;     /* keep the recording in this file, which must not exist; NULL: none is kept */
  double period_ms;       /* time between two polls; 0: 2 ms */
  int pin_cpu;            /* processor that the sampler stays on, counted from 1; 0: none */
  int without_processor;  /* not 0: leave the processor's energy out */
} heliograd_options;

/* `size` is sizeof(heliograd_energy), set by the caller. Intervals are of 95 %, the sensor's gain included. */
typedef struct heliograd_energy {
  size_t size;
  double energy_j, energy_low_j, energy_high_j;
  double duration_s;
  double mean_power_w, peak_power_w;
  double gain_half_width; /* relative: one factor, the same in all energies of a device; ratios are free of it */
  int64_t samples;        /* values that the sensor put out within the window */
  int resolved;           /* 0: the sensor cannot tell; heliograd_last_error says why, and the energies are NaN */
} heliograd_energy;

HELIOGRAD_API int heliograd_abi(void);
HELIOGRAD_API const char* heliograd_version(void);

/* Why the last call on this thread did not return HELIOGRAD_OK: one sentence, valid until the next call on this thread. */
HELIOGRAD_API const char* heliograd_last_error(void);

/* Starts measuring; returns when the sensors were seen to change, at most 1.2 s later. `options` may be NULL. */
HELIOGRAD_API int heliograd_open(const heliograd_options* options, heliograd_meter** meter);

/* Ends measuring and frees the meter. With an output the file is whole when it returns. */
HELIOGRAD_API int heliograd_close(heliograd_meter* meter);

/* Nanoseconds of UNIX time on the meter's clock, which never jumps; 0 without a meter. */
HELIOGRAD_API int64_t heliograd_now(const heliograd_meter* meter);

/* Opens a window; it may lie within others, and may be ended by another thread. The number returned stands for it; -1
 * when there is none. Names are UTF-8, 1 to 200 bytes. */
HELIOGRAD_API int64_t heliograd_begin(heliograd_meter* meter, const char* name);
HELIOGRAD_API int heliograd_end(heliograd_meter* meter, int64_t window);

/* A window whose stamps are known otherwise, for example from events of the device. `depth` 0 is outermost. */
HELIOGRAD_API int64_t heliograd_add(heliograd_meter* meter, const char* name, int64_t begin_ns, int64_t end_ns, int depth);

/* How many windows this thread has open: the depth at which its next one begins, and which heliograd_add may be given. */
HELIOGRAD_API int heliograd_depth(heliograd_meter* meter);

/* Sleeps for a random time, on average `fraction` (0 to 0.5) of the time since the last rest on this thread, and records
 * it as the window "sleep". A load that repeats in step with its sensor can be told apart only if such rests move it:
 * call it once after each iteration, 0.05 is enough for most sensors. Returns the seconds slept, 0 the first time. */
HELIOGRAD_API double heliograd_rest(heliograd_meter* meter, double fraction);

HELIOGRAD_API int heliograd_device_count(const heliograd_meter* meter);
/* "NVIDIA GeForce RTX 4070", "GPU-5b..."; valid while the meter is open; NULL when there is no such device. */
HELIOGRAD_API const char* heliograd_device_name(const heliograd_meter* meter, int device);
HELIOGRAD_API const char* heliograd_device_uuid(const heliograd_meter* meter, int device);

/* Energy of one ended window. Waits until the sensors have shown what followed it, at most 1.2 s. */
HELIOGRAD_API int heliograd_window_energy(heliograd_meter* meter, int64_t window, int device, heliograd_energy* energy);

/* All windows so far as one JSON object (docs/windows.md says what is in it), names that repeat estimated together; free
 * it with heliograd_free. NULL on failure. Waits like heliograd_window_energy. */
HELIOGRAD_API char* heliograd_summary(heliograd_meter* meter);
HELIOGRAD_API void heliograd_free(char* text);

#ifdef __cplusplus
}
#endif

#endif /* HELIOGRAD_H_ */
