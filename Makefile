# The one door. `make help` lists the words; CI calls the same ones.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# A compiler may take a gigabyte: no more of them than the memory has room for.
JOBS ?= $(shell awk -v cores=$$(nproc) '/MemAvailable/ { n = int($$2 / 1000000); \
          print n < 1 ? 1 : n < cores ? n : cores }' /proc/meminfo)
FILTER ?=
PARSER ?=
SECONDS_EACH ?= 60
EXAMPLE := examples/pytorch-cuda

# $(call configured,PRESET,FOLDER): ninja itself sees when a CMake file has changed
configured = test -e $(2)/build.ninja || cmake --preset $(1) -B $(2) --log-level=WARNING
# $(call built,FOLDER[,TARGETS])
built = cmake --build $(1) -j $(JOBS) $(if $(2),--target $(2))
# $(call tested,FOLDER)
tested = ctest --test-dir $(1) --output-on-failure -j $(JOBS) $(if $(FILTER),-R '$(FILTER)')

.PHONY: help demo test test-oracle test-engines build dist check format accept asan tsan fuzz bench setup

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r word says; do printf '  make %-11s %s\n' "$$word" "$$says"; done

demo: ## lock, build and train the example, from nothing
	@tools/setup.sh build run
	@$(MAKE) build
	@mkdir -p $(EXAMPLE)/out
	build/slipway -C $(EXAMPLE) lock
	build/slipway -C $(EXAMPLE) build
	build/slipway -C $(EXAMPLE) run -v ./out:/workspace/out --mode train
	@echo "the image is \`pytorch-cuda:2.6\` (build/slipway -C $(EXAMPLE) inspect), the loss curve $(EXAMPLE)/out/loss.png"

test: ## everything: unit tests, and real programs on real images [FILTER=regex]
	@tools/setup.sh build run test
	@$(call configured,release,build)
	@$(call built,build)
	@tools/run_tests.sh '$(FILTER)'

test-oracle: ## solutions beside uv's, versions beside packaging's; needs the network [FILTER=regex]
	@tools/setup.sh build
	@$(call configured,release,build)
	@$(call built,build,oracle_version_answers oracle_solve_sets)
	@tools/test_oracle.sh build '$(FILTER)'

test-engines: ## a whole PyTorch image through docker, podman, containerd, ...; needs root and 25 GB
	@tools/setup.sh build run test
	@$(MAKE) build
	@bash tests/engines/pytorch.sh

build: ## the program, at build/slipway
	@tools/setup.sh build
	@$(call configured,release,build)
	@$(call built,build,slipway)

dist: ## build/dist: one folder, and its archive, that needs nothing of the machine it runs on
	@tools/setup.sh build run
	@$(call configured,release,build)
	@$(call built,build,slipway slipway_launcher)
	@tools/make_dist.py build build/dist

check: ## format, warnings as errors, unit tests, dependencies
	@tools/setup.sh build check
	@tools/check_format.sh
	@python3 tools/check_deps.py
	@$(call configured,dev,build-dev)
	@$(call built,build-dev)
	@$(call tested,build-dev)

format: ## clang-format over all sources
	@tools/setup.sh check
	@tools/check_format.sh --fix

accept: ## rewrite tests/golden from what the code does now; review the diff
	@tools/setup.sh build
	@$(call configured,dev,build-dev)
	@$(call built,build-dev)
	@SLIPWAY_ACCEPT=1 $(call tested,build-dev)
	@git status --short tests/golden

asan: ## unit tests with the address and undefined-behaviour sanitizers
	@tools/setup.sh build
	@$(call configured,asan,build-asan)
	@$(call built,build-asan)
	@$(call tested,build-asan)

tsan: ## unit tests with the thread sanitizer
	@tools/setup.sh build
	@$(call configured,tsan,build-tsan)
	@$(call built,build-tsan)
	@$(call tested,build-tsan)

fuzz: ## the parsers of foreign bytes [PARSER=name] [SECONDS_EACH=60]
	@tools/setup.sh build fuzz
	@$(call configured,fuzz,build-fuzz)
	@$(call built,build-fuzz,fuzzers)
	@tools/fuzz.sh build-fuzz $(SECONDS_EACH) $(PARSER)

bench: ## speed and memory beside the peers, as ratios
	@tools/setup.sh build run test
	@$(MAKE) build
	@bench/run.sh

setup: ## install the Debian packages that are missing
	@tools/setup.sh build run test check fuzz
