/* A C program that measures itself through the C interface, as tests/cli/c_interface_test.py starts it. */
#include <heliograd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void Sleep(double seconds) {
  struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&time, NULL);
}

static heliograd_meter* Open(const char* output) {
  heliograd_options options = {0};
  heliograd_meter* meter = NULL;
  options.size = sizeof options;
  options.output = output;
  options.without_processor = 1;
  const int status = heliograd_open(&options, &meter);
  if (status != HELIOGRAD_OK) {
    printf("{\"status\": %d, \"error\": \"%s\"}\n", status, heliograd_last_error());
    exit(1);
  }
  return meter;
}

/* A window over `seconds`, two within it, one of them ended by another thread. */
static void* EndFromElsewhere(void* argument) {
  void** both = argument;
  heliograd_end(both[0], *(int64_t*)both[1]);
  return NULL;
}

static int Measure(const char* output, double seconds) {
  heliograd_meter* meter = Open(output);
  const int64_t begin_ns = heliograd_now(meter);
  int64_t outer = heliograd_begin(meter, "outer");
  int64_t inner = heliograd_begin(meter, "inner");
  const int depth = heliograd_depth(meter);
  Sleep(seconds / 2);
  heliograd_end(meter, inner);
  int64_t other = heliograd_begin(meter, "ended elsewhere");
  Sleep(seconds / 2);
  void* both[2] = {meter, &other};
  pthread_t thread;
  pthread_create(&thread, NULL, EndFromElsewhere, both);
  pthread_join(thread, NULL);
  heliograd_end(meter, outer);
  const int64_t end_ns = heliograd_now(meter);
  const int64_t added = heliograd_add(meter, "added", begin_ns, end_ns, 0);
  const int64_t short_one = heliograd_begin(meter, "short");
  heliograd_end(meter, short_one);
  int64_t windows[5] = {outer, inner, other, added, short_one};
  printf("{\"begin_ns\": %lld, \"end_ns\": %lld, \"uuid\": \"%s\", \"depths\": [%d, %d], \"windows\": [",
         (long long)begin_ns, (long long)end_ns, heliograd_device_uuid(meter, 0), depth, heliograd_depth(meter));
  for (int i = 0; i < 5; ++i) {
    heliograd_energy energy = {0};
    energy.size = sizeof energy;
    const int status = heliograd_window_energy(meter, windows[i], 0, &energy);
    printf("%s{\"status\": %d, \"resolved\": %d, \"energy_j\": %f, \"low_j\": %f, \"high_j\": %f, \"duration_s\": %f, \"why\": \"%s\"}",
           i == 0 ? "" : ", ", status, energy.resolved, energy.resolved ? energy.energy_j : 0,
           energy.resolved ? energy.energy_low_j : 0, energy.resolved ? energy.energy_high_j : 0, energy.duration_s,
           heliograd_last_error());
  }
  char* summary = heliograd_summary(meter);
  printf("], \"summary\": %s, \"closed\": ", summary);
  heliograd_free(summary);
  printf("%d}\n", heliograd_close(meter));
  return 0;
}

static void Say(const char* what, int status) { printf("%s|%d|%s\n", what, status, heliograd_last_error()); }

static int Misuse(void) {
  char long_name[300];
  heliograd_energy energy = {0};
  heliograd_options options = {0};
  heliograd_meter* none = NULL;
  memset(long_name, 'x', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = 0;
  Say("end without a meter", heliograd_end(NULL, 0));
  Say("close without a meter", heliograd_close(NULL));
  Say("begin without a meter", (int)heliograd_begin(NULL, "x"));
  Say("rest without a meter", (int)heliograd_rest(NULL, 0.05));
  Say("open into nothing", heliograd_open(NULL, NULL));
  Say("options without size", heliograd_open(&options, &none));
  options.size = sizeof options;
  options.period_ms = 5000;
  Say("period too long", heliograd_open(&options, &none));
  options.period_ms = 0;
  options.gpus = "7";
  Say("no such gpu", heliograd_open(&options, &none));
  heliograd_meter* meter = Open(NULL);
  Say("empty name", (int)heliograd_begin(meter, ""));
  Say("long name", (int)heliograd_begin(meter, long_name));
  Say("name of rests", (int)heliograd_begin(meter, "sleep"));
  Say("no such window", heliograd_end(meter, 77));
  const int64_t window = heliograd_begin(meter, "x");
  energy.size = sizeof energy;
  Say("energy of an open window", heliograd_window_energy(meter, window, 0, &energy));
  heliograd_end(meter, window);
  Say("ended twice", heliograd_end(meter, window));
  Say("no such device", heliograd_window_energy(meter, window, 9, &energy));
  energy.size = 0;
  Say("energy without size", heliograd_window_energy(meter, window, 0, &energy));
  Say("ends before it begins", (int)heliograd_add(meter, "x", 5, 4, 0));
  Say("rest too long", (int)heliograd_rest(meter, 3));
  heliograd_close(meter);
  return 0;
}

/* An older caller's smaller struct is filled as far as it goes, and no further. */
static int OldCaller(void) {
  heliograd_meter* meter = Open(NULL);
  struct {
    size_t size;
    double energy_j;
    double guard;
  } small = {offsetof(heliograd_energy, energy_low_j), 0, 42};
  const int64_t window = heliograd_begin(meter, "x");
  Sleep(1);
  heliograd_end(meter, window);
  const int status = heliograd_window_energy(meter, window, 0, (heliograd_energy*)&small);
  printf("{\"status\": %d, \"energy_j\": %f, \"guard\": %f, \"size\": %zu}\n", status, small.energy_j, small.guard,
         small.size);
  heliograd_close(meter);
  return 0;
}

static void* Mark(void* meter) {
  for (int i = 0; i < 100000; ++i) heliograd_end(meter, heliograd_begin(meter, "forward"));
  return NULL;
}

/* Nanoseconds of one begin or end, on one thread and on four at once. */
static int Cost(void) {
  heliograd_meter* meter = Open(NULL);
  for (int threads = 1; threads <= 4; threads += 3) {
    pthread_t all[4];
    const int64_t begin_ns = heliograd_now(meter);
    for (int i = 0; i < threads; ++i) pthread_create(&all[i], NULL, Mark, meter);
    for (int i = 0; i < threads; ++i) pthread_join(all[i], NULL);
    printf("%d threads: %.0f ns for a begin or an end\n", threads,
           (double)(heliograd_now(meter) - begin_ns) / 200000.0 / threads);
  }
  return heliograd_close(meter);
}

int main(int count, char** arguments) {
  if (heliograd_abi() != HELIOGRAD_ABI) return 9;
  if (count == 4 && strcmp(arguments[1], "measure") == 0) return Measure(arguments[2], atof(arguments[3]));
  if (count == 2 && strcmp(arguments[1], "misuse") == 0) return Misuse();
  if (count == 2 && strcmp(arguments[1], "old-caller") == 0) return OldCaller();
  if (count == 2 && strcmp(arguments[1], "cost") == 0) return Cost();
  fputs("job measure FILE SECONDS | misuse | old-caller | cost\n", stderr);
  return 2;
}
