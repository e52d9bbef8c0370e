# heliograd: every target sets the machine up by itself and works again on a second run.
#
#   make demo       build, plan the built-in scenario, then the whole chain on a simulated GPU
#   make test       build, then run every test
#   make build      build/heliograd, build/libheliograd.so, and a simulated GPU in build/sim
#   make profile    the program with its part for PyTorch (build/libheliograd_torch.so), which profile's training needs
#   make bench      benchmarks beside their named peers
#   make reproduce  the study's figures and tables in out/reproduce
#   make lint       clang-format and clang-tidy
#   make asan       every test under AddressSanitizer and UndefinedBehaviorSanitizer
#   make fuzz       every fuzz target under libFuzzer, longer than in the tests
#   make install PREFIX=/opt/heliograd

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
CMAKE_FLAGS = -G Ninja -DCMAKE_BUILD_TYPE=Release

.PHONY: build demo test profile bench reproduce lint asan fuzz install setup clean

setup:
	@tools/setup.sh

build: setup
	@cmake $(CMAKE_FLAGS) -B build >build.log 2>&1 || { cat build.log; exit 1; }
	@echo "build: compiling build/heliograd (six to eight minutes on 2 cores the first time; progress in build.log)"
	@ninja -C build -j $(JOBS) heliograd_program heliograd_library simulated_gpu >>build.log 2>&1 || { tail -40 build.log; exit 1; }

demo: build
	build/heliograd plan builtin:paper
	@tools/demo.sh

test:
	@tools/setup.sh --python
	@cmake $(CMAKE_FLAGS) -B build >build.log 2>&1 || { cat build.log; exit 1; }
	@echo "test: compiling the program and every test (about ten minutes on 2 cores the first time; progress in build.log)"
	@ninja -C build -j $(JOBS) >>build.log 2>&1 || { tail -40 build.log; exit 1; }
	@cd build && ctest --output-on-failure -j $$(($(JOBS) + 1))  # one more than cores: most of the longer tests wait for clocks

profile:
	@tools/setup.sh --python
	@cmake $(CMAKE_FLAGS) -B build >build.log 2>&1 || { cat build.log; exit 1; }
	@echo "profile: compiling build/heliograd and build/libheliograd_torch.so (progress in build.log)"
	@ninja -C build -j $(JOBS) heliograd_program heliograd_torch >>build.log 2>&1 || { tail -40 build.log; exit 1; }

bench:
	@tools/setup.sh --dev
	@tools/setup_bench.sh
	@cmake $(CMAKE_FLAGS) -DHELIOGRAD_BENCH=ON -B build >build.log 2>&1 || { cat build.log; exit 1; }
	@ninja -C build -j $(JOBS) heliograd_program bench_programs >>build.log 2>&1 || { tail -40 build.log; exit 1; }
	.venv-bench/bin/python bench/run.py

reproduce: build
	build/heliograd reproduce -o out/reproduce

lint:
	@tools/setup.sh --dev
	@tools/lint.sh

asan: setup
	@cmake -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DHELIOGRAD_SANITIZE=address,undefined -B build-asan >build.log 2>&1 || { cat build.log; exit 1; }
	@ninja -C build-asan -j $(JOBS) >>build.log 2>&1 || { tail -40 build.log; exit 1; }
	@cd build-asan && ctest --output-on-failure -j $(JOBS)

fuzz:
	@tools/setup.sh --dev
	@tools/fuzz.sh

install: build
	@cmake --install build --prefix $(PREFIX) >>build.log && echo "installed: $(PREFIX)/bin/heliograd"

clean:
	rm -rf build build-asan build-fuzz build.log
