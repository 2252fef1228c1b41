# make demo and make test set everything up by themselves. BUILD names another build folder.
BUILD ?= build
VENV ?= $(or $(HEARTH_VENV),$(HOME)/.cache/hearth/venv)
JOBS ?= $(shell nproc)
SANITIZER_OPTIONS = -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1"

.PHONY: build demo test test-long bench lint asan tsan fuzz setup clean

build:
	@tools/setup --build
	@cmake -S . -B $(BUILD) -G Ninja > $(BUILD).configure.log 2>&1 || { cat $(BUILD).configure.log; exit 1; }
	@rm -f $(BUILD).configure.log
	@cmake --build $(BUILD) -j $(JOBS) --target hearth

demo: build
	@tools/demo $(BUILD)/hearth

everything:
	@tools/setup
	@cmake -S . -B $(BUILD) -G Ninja -DHEARTH_TESTS=ON > /dev/null
	@cmake --build $(BUILD) -j $(JOBS)

test: everything
	@HEARTH_VENV=$(VENV) ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) -LE long

test-long: everything
	@HEARTH_VENV=$(VENV) ctest --test-dir $(BUILD) --output-on-failure -L long

bench: everything
	@$(VENV)/bin/python bench/run.py; models=$$?; $(VENV)/bin/python bench/arrays.py && exit $$models

lint:
	@tools/lint

asan:
	@tools/setup --build
	@cmake -S . -B $(BUILD)-asan -G Ninja $(SANITIZER_OPTIONS) -DHEARTH_SANITIZE=address,undefined > /dev/null
	@cmake --build $(BUILD)-asan -j $(JOBS) --target hearth_tests
	@$(BUILD)-asan/hearth_tests --gtest_brief=1

tsan:
	@tools/setup --build
	@cmake -S . -B $(BUILD)-tsan -G Ninja $(SANITIZER_OPTIONS) -DHEARTH_SANITIZE=thread > /dev/null
	@cmake --build $(BUILD)-tsan -j $(JOBS) --target hearth_tests
	@HEARTH_THREADS=4 $(BUILD)-tsan/hearth_tests --gtest_brief=1 --gtest_filter='*Threads*:*Gemm*:*RowProgram*:*Flash*:*Compile*:*Session*:*Trainer*:*Jit*:Array*:*Control*:*threads*:RandomFunctions*'

fuzz:
	@tools/fuzz

setup:
	@tools/setup

clean:
	@rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan
